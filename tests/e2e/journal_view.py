"""What the journal's file says, read from outside, read-only, while the service writes it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connector.core.audit import AuditRecord
from connector.core.journal import PartitionRecord
from connector.core.states import DeviceState, HolderState


class JournalView:
    """Looks into a journal on SQLite; each look sees what was committed before it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as connection:
            yield connection

    def _state(self, key: str) -> bytes | None:
        with self._open() as journal:
            row = journal.execute("SELECT state FROM states WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def holder(self, key: str) -> HolderState | None:
        """The state of a holder, if there is one."""
        state = self._state(key)
        return None if state is None else HolderState.model_validate_json(state)

    def device(self, device: int) -> DeviceState | None:
        """The state of a device, if there is one."""
        state = self._state(f"acme-uem/device/{device}")
        return None if state is None else DeviceState.model_validate_json(state)

    def phase(self, key: str) -> tuple[str, str]:
        """Phase and error code as operators see and search them."""
        with self._open() as journal:
            row = journal.execute("SELECT phase, code FROM states WHERE key = ?", (key,)).fetchone()
        return ("", "") if row is None else (row[0], row[1])

    def events(self) -> set[str]:
        """The ids of all events that were ever taken."""
        with self._open() as journal:
            return {row[0] for row in journal.execute("SELECT id FROM events")}

    def records(self) -> list[PartitionRecord]:
        """What each partition says of itself."""
        with self._open() as journal:
            rows = journal.execute("SELECT record FROM partitions ORDER BY partition").fetchall()
        return [PartitionRecord.model_validate_json(row[0]) for row in rows]

    def audit(self, partition: int | None = None) -> list[AuditRecord]:
        """The audit trail, of one partition or of all."""
        with self._open() as journal:
            rows = journal.execute(
                "SELECT record FROM audit WHERE ?1 IS NULL OR partition = ?1"
                " ORDER BY partition, sequence",
                (partition,),
            ).fetchall()
        return [AuditRecord.model_validate_json(row[0]) for row in rows]
