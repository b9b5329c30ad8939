"""Journals with a hundred thousand subjects in them: copies of states that real work has made."""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.stage import PARTITIONS, CountingJournal, Stage, stage
from connector.core.journal import Commit
from connector.core.model import DAY, HOUR, partition_of
from connector.core.states import HolderState, Phase
from connector.journal import connection as connections
from connector.journal import states as tables
from connector.journal import tables as schema
from connector.journal.partitions import take_over
from connector.journal.sqlite import SqliteOptions

ORIGINAL = "777777777"
"""The user whose states are copied; the number stands for nothing else in them."""

FIRST = 100_000_000
FAR, SPREAD = 60 * DAY, 14 * DAY
CHUNK = 5000
Row = tuple[tables.StateColumns, list[tables.WantColumns]]
"""Columns of a state, and those of all that it wants."""

Original = tuple[tables.StateColumns, list[str]]
"""Columns of a state that is copied, and the lanes that it wants."""


@dataclass(frozen=True)
class Templates:
    """A holder that waits for its profile to be installed, and one whose hand-over runs."""

    installing: Original
    handing_over: Original


def _original(state: HolderState) -> Original:
    return tables.columns(state, 0), [lane for _, lane, _, _ in tables.wants(state, 0)]


class Watching(CountingJournal):
    """A journal that keeps the first state of each kind that a template is made of."""

    found: dict[str, HolderState]

    async def commit(self, commit: Commit) -> None:
        """Commit, then look."""
        await super().commit(commit)
        for row in commit.states:
            if isinstance(row.state, HolderState) and row.state.delivery is not None:
                self.found.setdefault(_kind(row.state), row.state)


def _kind(state: HolderState) -> str:
    delivery = state.delivery
    phase = delivery.phase if delivery else Phase.PLANNING
    return f"{phase}{' running' if state.running else ''}"


async def templates(folder: Path) -> Templates:
    """Deliver to one user in a folder that exists; the user's states on the way."""
    user = int(ORIGINAL)
    async with stage(folder, SqliteOptions(), journal=Watching) as made:
        await _delivered(made, range(user, user + 1))
        found = made.journal.found if isinstance(made.journal, Watching) else {}
    return Templates(
        _original(found[Phase.AWAITING_INSTALL]),
        _original(found[f"{Phase.HANDING_OVER} running"]),
    )


async def _delivered(made: Stage, users: range) -> None:
    if isinstance(made.journal, Watching):
        made.journal.found = {}
    await made.deliver(users)


class Seed:
    """Writes copies into a new journal file, before a journal has opened it."""

    def __init__(self, path: Path, made_of: Templates, partitions: int = PARTITIONS) -> None:
        """Make the file and its tables."""
        self._path = path
        self._templates = made_of
        self._partitions = partitions
        self._next = FIRST
        with closing(connections.open_writing(path, "OFF")) as connection:
            schema.prepare(connection, partitions)
            for partition in range(partitions):  # the owner that made the templates
                take_over(connection, partition)

    def waiting(self, count: int) -> None:
        """Holders whose next look is due in two months, far off on the fast clock too."""
        now = _now()
        self._write(
            self._copy(self._templates.installing, now + FAR + number * SPREAD // count)
            for number in range(count)
        )

    def in_flight(self, count: int) -> None:
        """Holders in the middle of it: two of three in an open hand-over, all looks due."""
        due = _now() - HOUR
        made = self._templates
        self._write(
            self._copy(made.handing_over if number % 3 else made.installing, due)
            for number in range(count)
        )

    def _copy(self, original: Original, due: int) -> Row:
        user, self._next = self._next, self._next + 1
        return copied(original, user, due, self._partitions)

    def _write(self, rows: Iterator[Row]) -> None:
        with closing(connections.open_writing(self._path, "OFF")) as connection:
            while chunk := list(islice(rows, CHUNK)):
                _insert(connection, chunk)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def copied(original: Original, user: int, due: int, partitions: int) -> Row:
    """The state of another user (nine digits), all of whose wants are due at a time."""
    columns, lanes = original
    key = columns.key.replace(ORIGINAL, str(user))
    partition = partition_of(key, partitions)
    text = columns.state.replace(ORIGINAL.encode(), str(user).encode())
    wants = [(key, lane, due, partition) for lane in lanes]
    return columns._replace(key=key, partition=partition, state=text), wants


def _insert(
    connection: sqlite3.Connection,
    chunk: Iterable[Row],
) -> None:
    rows = list(chunk)
    connection.execute("BEGIN")
    connection.executemany(tables.PUT, [state for state, _ in rows])
    connection.executemany(tables.WANT, [want for _, wants in rows for want in wants])
    connection.execute("COMMIT")


def _now() -> int:
    return time.time_ns() // 1_000_000
