"""The embedded journal: one file, one process, durable before it answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

from pydantic import Field

from connector.core.audit import AuditRecord, AuditRow
from connector.core.errors import Fault, Permanent, Transient, raised
from connector.core.events import Event
from connector.core.journal import (
    Commands,
    Commit,
    DeadLetter,
    DeadLetterFilter,
    PartitionRecord,
    Positioned,
)
from connector.core.model import DAY, Millis, Record, SubjectKey
from connector.core.rows import KnownId
from connector.core.values import millis
from connector.journal import engine, events, partitions, retention, rounds
from connector.journal.connection import Synchronous
from connector.journal.database import Connection
from connector.journal.partition_signals import PartitionSignals
from connector.journal.queries import TableQueries
from connector.journal.settings import SqliteSettings
from connector.journal.write_queue import Limits

T = TypeVar("T")

_AUDIT_PAGE = 64
"""Records of up to a mebibyte each are in memory at once."""
_KNOWN_PAGE = 2000


class SqliteOptions(Record):
    """What no setting says. ``synchronous`` other than FULL is for measuring what durability costs.

    After ``waiting_seconds`` appends are refused; ``payload_retention`` is how long the payload of
    a consumed event is kept.
    """

    synchronous: Synchronous = "FULL"
    waiting_seconds: float = Field(default=2.0, gt=0)
    payload_retention: Millis = Field(default=DAY, ge=0)


_DEFAULTS = SqliteOptions()


class SqliteJournal(TableQueries):
    """The contract of :class:`connector.core.journal.Journal`, kept by SQLite."""

    def __init__(
        self,
        settings: SqliteSettings,
        *,
        monotonic: Callable[[], float],
        on_lost: Callable[[Permanent], None],
        options: SqliteOptions = _DEFAULTS,
    ) -> None:
        """Name the file, made by :meth:`open` if need be, with its log and lock beside it.

        ``on_lost`` is called once in the event loop when the disk failed (``JRN-002``): the
        process must end and recover at its next start. ``monotonic`` gives seconds.
        """
        self._settings = settings
        self._options = options
        self._partitions = settings.partitions
        self._signals = PartitionSignals(self._partitions)
        self._on_lost = on_lost
        self._engine: engine.Engine | None = None
        self._plan = engine.Plan(
            path=settings.path,
            partitions=self._partitions,
            synchronous=options.synchronous,
            limits=Limits(settings.queue_limit, options.waiting_seconds),
            monotonic=monotonic,
            announce=self._signals.ring,
            on_lost=self._lost,
        )

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return self._partitions

    async def open(self) -> None:
        """Open and check the file; raises ``JRN-004``, ``JRN-005`` or ``JRN-016``."""
        self._engine = await engine.start(self._plan)

    async def close(self) -> None:
        """Write what waits, and close."""
        opened, self._engine = self._engine, None
        if opened is not None:
            await opened.close()

    async def append(self, new: Sequence[Event]) -> list[bool]:
        """Make events durable; False for each whose id was known."""
        rows = [events.row_of(event, self._partitions) for event in new]
        return await self._opened().writer.append(rows)

    async def assigned(self, known: frozenset[int]) -> frozenset[int]:
        """All partitions, for there is one process; when they are known, it never returns."""
        every = frozenset(range(self._partitions))
        while known == every:
            await asyncio.Event().wait()
        return every

    def share(self) -> tuple[int, int]:
        """All of all."""
        return self._partitions, self._partitions

    async def take_over(self, partition: int) -> PartitionRecord:
        """Raise the owner epoch."""
        return await self._opened().writer.run(
            lambda connection, _: partitions.take_over(connection, partition)
        )

    async def commit(self, commit: Commit) -> None:
        """Write one round."""
        ready = await rounds.prepare(commit, self._partitions)
        await self._opened().writer.run(ready.write)

    async def read(self, partition: int, after: int, limit: int) -> list[Positioned | DeadLetter]:
        """The next events behind a position."""
        return await self._ask(lambda connection: events.read(connection, partition, after, limit))

    async def commands(self, partition: int, after: int, *, newest: bool = False) -> Commands:
        """Events to the partition itself behind a position, by an index of their own."""
        del newest  # always true here
        return await self._ask(lambda connection: events.commands(connection, partition, after))

    async def wait(self, partition: int, seconds: float) -> None:
        """Return when there may be new events."""
        self._opened()
        await self._signals.wait(partition, seconds)

    async def current_records(self, own: Collection[int]) -> list[PartitionRecord] | None:
        """The partitions' own records, never late."""
        del own
        return await self.records()

    async def consumed(self, subject: SubjectKey, name: str) -> bool:
        """Whether the read position is behind the event with an id."""
        del subject  # ids are unique over all subjects here
        return await self._ask_long(partial(events.is_consumed, name=name))

    async def known(self) -> AsyncIterator[KnownId]:
        """Ids that subjects have consumed, as long as they are kept."""
        after: int | None = 0
        while after is not None:
            page, after = await self._ask_long(
                partial(events.known, after=after, limit=_KNOWN_PAGE)
            )
            for one in page:
                yield one

    async def audit(self, partition: int, after: int = 0) -> AsyncIterator[AuditRecord]:
        """The audit records behind a sequence number that can be read."""
        async for row in self.audit_rows(partition, after):
            if row.record is not None:
                yield row.record

    async def audit_rows(self, partition: int, after: int = 0) -> AsyncIterator[AuditRow]:
        """The audit records behind a sequence number as they are stored, page by page."""
        while page := await self._ask_long(
            partial(partitions.audit_page, partition=partition, after=after, limit=_AUDIT_PAGE)
        ):
            for row in page:
                yield row
            after = page[-1].sequence
        if await self._ask_long(partial(partitions.strays, partition=partition)):
            yield AuditRow(after + 1, None)

    async def dead_letters(self, query: DeadLetterFilter) -> list[DeadLetter]:
        """What could not be read and is not settled, by partition and position."""
        return await self._ask_long(partial(partitions.dead_letters, query=query))

    def revive(self, letter: DeadLetter) -> Event:
        """Parse the event in a dead letter again."""
        return events.revive(letter, self._partitions)

    async def tidy(self, now: Millis) -> None:
        """Delete what is older than its retention, and truncated audit logs, in small batches."""
        writer, options = self._opened().writer, self._options
        for record in await self.records():
            await retention.empty_consumed(writer, record, now - options.payload_retention)
            await retention.give_up_audit(writer, record)
        await retention.forget_ids(writer, now - millis(self._settings.ids_kept))

    def load_of_appends(self) -> tuple[int, float]:
        """How many appended events wait for the disk, and for how many seconds the oldest has."""
        return self._opened().writer.load()

    async def unread(self) -> tuple[int, Millis | None]:
        """How many events no round has handled, and when the oldest of them came."""
        return await self._ask_long(events.unread)

    def take_ids_dropped(self) -> int:
        """None, ever: each id is a row of its own, kept for its time."""
        return 0

    def trouble(self) -> Fault | None:
        """Why nothing could be written when that was tried last, or can be now."""
        trouble = self._opened().writer.trouble or self._opened().misplaced()
        return None if trouble is None else trouble.fault()

    async def probe(self) -> None:
        """Write something that changes nothing; raises as :meth:`append`."""
        await self._opened().writer.run(lambda connection, _: partitions.touch(connection))

    async def _ask(self, query: Callable[[Connection], T]) -> T:
        return await self._opened().loop_reader.ask(query)

    async def _ask_long(self, query: Callable[[Connection], T]) -> T:
        return await self._opened().listing_reader.ask(query)

    def _opened(self) -> engine.Engine:
        if self._engine is None:
            raise Transient("JRN-001", "using journal: it is not open")
        if self._engine.writer.fate is not None:
            raise raised(self._engine.writer.fate.fault())
        return self._engine

    def _lost(self, fault: Permanent) -> None:
        self._signals.ring(range(self._partitions))
        self._on_lost(fault)
