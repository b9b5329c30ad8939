"""The queries that both journals answer from their tables."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from connector.core.journal import PartitionRecord, StatusFilter
from connector.core.model import Millis, SubjectKey
from connector.core.rows import FIRST_PLACE, Due, OpenAct, UnreadableState
from connector.core.states import State
from connector.journal import partitions, states
from connector.journal.database import Connection

T = TypeVar("T")


class TableQueries(ABC):
    """The part of :class:`connector.core.journal.Journal` that only reads tables."""

    @abstractmethod
    async def _ask(self, query: Callable[[Connection], T]) -> T:
        """Run a query for the workers."""

    @abstractmethod
    async def _ask_long(self, query: Callable[[Connection], T]) -> T:
        """Run a query for operators and gauges, which may take longer."""

    async def load(self, keys: Sequence[SubjectKey]) -> dict[SubjectKey, State]:
        """The states of these subjects."""
        return await self._ask(partial(states.load, keys=keys))

    async def subjects(self, partition: int, after: str, limit: int) -> list[SubjectKey]:
        """The subjects of a partition behind a key."""
        return await self._ask(
            lambda connection: states.subjects(connection, partition, after, limit)
        )

    async def due(self, partition: int, lane: str, now: Millis, limit: int) -> list[Due]:
        """Subjects of a lane whose time has come, earliest first."""
        return await self._ask(
            lambda connection: states.due(connection, partition, lane, now, limit)
        )

    async def lanes(self, partition: int) -> list[tuple[str, Millis]]:
        """All lanes in use with the earliest due time of each."""
        return await self._ask(partial(states.lanes, partition=partition))

    async def open_acts(
        self, partition: int, epoch: int, limit: int, after: tuple[int, int] = FIRST_PLACE
    ) -> list[OpenAct]:
        """Subjects with a running act of an earlier epoch."""
        return await self._ask(
            lambda connection: states.open_acts(connection, partition, epoch, limit, after)
        )

    async def status(self, query: StatusFilter) -> list[State | UnreadableState]:
        """Subjects for listings, by key."""
        return await self._ask_long(partial(states.status, query=query))

    async def counts(self) -> dict[tuple[str, str, str], int]:
        """How many subjects there are by (kind, route, phase)."""
        return await self._ask_long(states.counts)

    async def codes(self) -> dict[tuple[str, str, str], int]:
        """How many subjects are blocked by something, by (kind, phase, code)."""
        return await self._ask_long(states.codes)

    async def records(self) -> list[PartitionRecord]:
        """The partitions' own records."""
        return await self._ask(partitions.records)

    async def own_records(self) -> dict[int, PartitionRecord | None]:
        """The partitions' own records by number, None for a damaged one."""
        return await self._ask_long(partitions.own)
