"""Which partitions are this process's: a dynamic member of one consumer group."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.structs import TopicPartition

from connector.core.model import Millis
from connector.journal.kafka import faults
from connector.journal.kafka.clients import Clients, end_consumer
from connector.journal.kafka.names import Names

_HEARTBEATS = 20
_NEVER_MS = 2**31 - 1


class Membership:
    """Joins when it is first asked, and leaves at once when it is closed.

    Revocation means nothing: the protocol revokes everything at every rebalance and gives most of
    it back. Only an assignment counts.

    Args:
        session, rebalance: timeouts in milliseconds.
        changed: called in the event loop with each new assignment, before anybody sees it.
    """

    def __init__(
        self,
        clients: Clients,
        names: Names,
        *,
        session: Millis,
        rebalance: Millis,
        changed: Callable[[frozenset[int]], None],
    ) -> None:
        """Not a member yet."""
        self._clients = clients
        self._names = names
        self._session = session
        self._rebalance = rebalance
        self._changed = changed
        self._mine: frozenset[int] = frozenset()
        self._news = asyncio.Event()
        self._joining = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def mine(self) -> frozenset[int]:
        """The partitions of the last assignment."""
        return self._mine

    async def assigned(self, known: frozenset[int]) -> frozenset[int]:
        """The partitions that are this process's; returns as soon as they differ from ``known``.

        Raises:
            Transient: ``JRN-001`` when the group cannot be joined now.
        """
        await self._join()
        while self._mine == known:
            self._news.clear()
            await self._news.wait()
        return self._mine

    async def close(self) -> None:
        """Leave the group; twice is harmless."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)

    def _take(self, partitions: Iterable[int]) -> None:
        self._mine = frozenset(partitions)
        self._changed(self._mine)
        self._news.set()

    async def _join(self) -> None:
        async with self._joining:
            if self._consumer is not None:
                return
            consumer = self._clients.consumer(
                group_id=self._names.group,
                partition_assignment_strategy=[StickyPartitionAssignor],
                session_timeout_ms=self._session,
                heartbeat_interval_ms=self._session // _HEARTBEATS,
                rebalance_timeout_ms=self._rebalance,
                max_poll_interval_ms=_NEVER_MS,
                # It is a member only; events are read by a consumer that rebalances do not touch.
                max_partition_fetch_bytes=1,
            )
            try:
                consumer.subscribe([self._names.events], listener=_Listener(self._take))
                await consumer.start()
            except faults.EXPECTED as error:
                await end_consumer(consumer)
                raise faults.unwritable("joining the group", error) from error
            except BaseException:
                await end_consumer(consumer)
                raise
            self._consumer = consumer


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Hears of assignments."""

    def __init__(self, take: Callable[[Iterable[int]], None]) -> None:
        self._take = take

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Change nothing: what does not come back is dropped with the next assignment."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hear what is ours now."""
        self._take(place.partition for place in assigned)
