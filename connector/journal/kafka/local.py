"""The local tables of one pod: those of the embedded journal, in a file created at each start.

They hold every partition, so that any pod answers for any subject. All of it is in the topics too:
losing the file costs the time of reading them again.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from connector.core.errors import Permanent, Transient, raised
from connector.core.journal import PartitionRecord
from connector.core.model import SubjectKey
from connector.journal import engine, faults
from connector.journal import partitions as partition_tables
from connector.journal.database import Connection
from connector.journal.kafka import record_versions
from connector.journal.kafka.records import Head, OwnRecord, Seen, StateRecord, remembered
from connector.journal.write_queue import Limits

T = TypeVar("T")

_REMEMBERING_PAGE = 500
_PUT_LETTER = "INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?)"


@dataclass(slots=True)
class Changes:
    """What one batch of records changes. ``letters``: partition, position, JSON or None."""

    states: list[StateRecord] = field(default_factory=list)
    own: dict[int, OwnRecord] = field(default_factory=dict)
    letters: list[tuple[int, int, bytes | None]] = field(default_factory=list)


class LocalTables:
    """Writes the content of the topics, and answers queries.

    ``on_lost`` is called once when the file failed: the process must end and start again.
    """

    def __init__(
        self,
        path: Path,
        partitions: int,
        *,
        monotonic: Callable[[], float],
        on_lost: Callable[[Permanent], None],
    ) -> None:
        """Name the file; :meth:`open` throws away what is there."""
        self._plan = engine.Plan(
            path=path,
            partitions=partitions,
            synchronous="OFF",
            limits=Limits(),
            monotonic=monotonic,
            announce=lambda _: None,
            on_lost=on_lost,
            fresh=True,
        )
        self._engine: engine.Engine | None = None
        self._ranks = [(0, 0)] * partitions
        self._seen: list[Seen] = [{} for _ in range(partitions)]
        self._sources = [(0, 0)] * partitions

    async def open(self) -> None:
        """Make the file; raises ``JRN-004``."""
        self._engine = await engine.start(self._plan)
        await self._engine.writer.run(lambda connection, _: _make_heads(connection))

    async def close(self) -> None:
        """Close it; twice is harmless."""
        opened, self._engine = self._engine, None
        if opened is not None:
            await opened.close()

    async def apply(self, changes: Changes) -> None:
        """Write what is newer than what is known."""
        own = [one for one in changes.own.values() if one.rank > self._ranks[one.partition]]
        records = [one.parse() for one in own]

        def write(connection: Connection) -> None:
            record_versions.apply(connection, changes.states)
            for record in records:
                partition_tables.put(connection, record)
            _put_letters(connection, changes.letters)

        await self.opened().writer.run(lambda connection, _: write(connection))
        for one in own:
            self._ranks[one.partition] = one.rank
            self._seen[one.partition] = remembered(one.seen)
        for state in changes.states:
            number = state.head.partition
            place = (state.head.epoch, state.source)
            self._sources[number] = max(self._sources[number], place)

    def source(self, partition: int, epoch: int) -> int:
        """The greatest read position of states that owners from this epoch on have written."""
        newest, position = self._sources[partition]
        return position if newest >= epoch else 0

    def epoch(self, partition: int) -> int:
        """The newest owner epoch of a partition that is known here."""
        return self._ranks[partition][0]

    def own_seen(self, partition: int) -> Seen:
        """The ids that the partition itself has consumed."""
        return self._seen[partition]

    async def record(self, partition: int) -> PartitionRecord:
        """A partition's own record."""
        return (await self.ask(partition_tables.records))[partition]

    async def heads(self, keys: Sequence[SubjectKey]) -> dict[SubjectKey, Head]:
        """The heads of these subjects; unknown ones are missing."""
        return (
            await self.ask(lambda connection: record_versions.of(connection, keys)) if keys else {}
        )

    async def remembers(self, subject: SubjectKey, name: str) -> bool:
        """Whether a subject other than a partition has consumed an id."""
        heads_found = await self.heads([subject])
        return any(name in remembered(head.seen) for head in heads_found.values())

    async def remembering(self) -> AsyncIterator[tuple[SubjectKey, bytes]]:
        """All subjects with the ids that they remember, page by page."""
        after = ""
        while page := await self.ask_long(
            partial(record_versions.remembering, after=after, limit=_REMEMBERING_PAGE)
        ):
            for one in page:
                yield one
            after = page[-1][0]

    async def ask(self, query: Callable[[Connection], T]) -> T:
        """Run a query of the loop."""
        return await self.opened().loop_reader.ask(query)

    async def ask_long(self, query: Callable[[Connection], T]) -> T:
        """Run a query of operators or gauges."""
        return await self.opened().listing_reader.ask(query)

    def lose(self, error: BaseException) -> None:
        """Mark the tables as lost, with the reason; later calls raise ``JRN-002``."""
        if self._engine is not None:
            fault = error if isinstance(error, Permanent) else faults.lost("following", error)
            self._engine.writer.lose(fault)

    def opened(self) -> engine.Engine:
        """The open file; raises ``JRN-001`` when it is closed and ``JRN-002`` when it is lost."""
        if self._engine is None:
            raise Transient("JRN-001", "using journal: it is not open")
        if self._engine.writer.fate is not None:
            raise raised(self._engine.writer.fate.fault())
        return self._engine


def _make_heads(connection: Connection) -> None:
    for statement in record_versions.TABLES:
        connection.execute(statement)


def _put_letters(connection: Connection, letters: Sequence[tuple[int, int, bytes | None]]) -> None:
    for partition, position, text in letters:
        if text is None:
            partition_tables.settle(connection, partition, [position])
        else:
            connection.execute(_PUT_LETTER, (partition, position, text))
