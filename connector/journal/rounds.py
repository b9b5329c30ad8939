"""One loop round of a partition: from records to rows, and into one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from pydantic import BaseModel

from connector.core.errors import Permanent
from connector.core.journal import Commit, StateRow
from connector.core.model import SubjectKey, partition_of
from connector.core.sizes import Place, require_fitting
from connector.journal import partitions as partition_tables
from connector.journal import states as state_tables
from connector.journal.database import Connection
from connector.journal.events import EventLog, EventRow, free_ids, row_of

_CHUNK = 32
"""How many states are made into JSON before the event loop gets a turn (about 1 ms)."""


@dataclass(slots=True)
class Round:
    """A commit whose bytes are ready, so that the writer thread only hands them over."""

    commit: Commit
    events: list[EventRow]
    audit: list[tuple[int, int, bytes]]
    dead_letters: list[tuple[int, int, bytes]]
    states: list[state_tables.StateColumns] = field(default_factory=list)
    wants: list[state_tables.WantColumns] = field(default_factory=list)
    removed: list[SubjectKey] = field(default_factory=list)

    def write(self, connection: Connection, log: EventLog) -> None:
        """Write it inside the caller's transaction.

        Raises:
            Transient: ``JRN-003`` when another owner has taken the partition over.
            Permanent: ``JRN-006`` when it contradicts what is stored.
        """
        partition_tables.check(connection, self.commit.record, self.commit.audit)
        state_tables.put(connection, self.states, self.wants)
        state_tables.remove(connection, self.removed)
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?)", self.audit)
        connection.executemany("INSERT INTO dead_letters VALUES (?, ?, ?)", self.dead_letters)
        free_ids(connection, ((row[0], row[1]) for row in self.dead_letters))
        number = self.commit.record.partition
        log.remember(connection, self.commit.known, number)
        partition_tables.settle(connection, number, self.commit.settled)
        log.insert(connection, self.events)
        partition_tables.put(connection, self.commit.record)


async def prepare(commit: Commit, partitions: int) -> Round:
    """Make the rows of a commit, with turns for the event loop in between.

    Raises:
        Permanent: ``JRN-006`` when a state or audit record belongs to another partition.
        TooLarge: when a record is larger than a journal takes.
    """
    number = commit.record.partition
    keys = [row.key for row in commit.states] + [one.subject for one in commit.known]
    if any(partition_of(key, partitions) != number for key in keys) or any(
        record.partition != number for record in commit.audit
    ):
        raise Permanent("JRN-006", f"committing: not all of it belongs to partition {number}")
    round_ = Round(
        commit=commit,
        events=[row_of(event, partitions) for event in commit.events],
        audit=[(number, entry.sequence, _json(entry)) for entry in commit.audit],
        dead_letters=[(number, letter.position, _json(letter)) for letter in commit.dead_letters],
    )
    _require_fitting(round_)
    rows = iter(commit.states)
    while chunk := list(islice(rows, _CHUNK)):
        _add_states(round_, chunk, number)
        await asyncio.sleep(0)
    return round_


def _require_fitting(ready: Round) -> None:
    commit = ready.commit
    for index, (event, written) in enumerate(zip(commit.events, ready.events, strict=True)):
        require_fitting(Place("event", event.subject, index), written[3])
    for index, (record, (*_, text)) in enumerate(zip(commit.audit, ready.audit, strict=True)):
        require_fitting(Place("audit record", record.entry.subject, index), text)
    for index, (*_, text) in enumerate(ready.dead_letters):
        require_fitting(Place("dead letter", "", index), text)


def _add_states(round_: Round, rows: Sequence[StateRow], partition: int) -> None:
    for row in rows:
        if row.state is None:
            round_.removed.append(row.key)
        else:
            columns = state_tables.columns(row.state, partition)
            require_fitting(Place("state", row.key, len(round_.states)), columns.state)
            round_.states.append(columns)
            round_.wants.extend(state_tables.wants(row.state, partition))


def _json(record: BaseModel) -> bytes:
    return record.model_dump_json(by_alias=True).encode()
