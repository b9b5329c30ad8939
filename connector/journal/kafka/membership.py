"""Which partitions are this process's: a dynamic member of one consumer group."""

import asyncio
from collections.abc import Callable, Iterable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.structs import TopicPartition

from connector.core.model import Millis
from connector.journal.kafka import faults
from connector.journal.kafka.clients import Clients, end_consumer
from connector.journal.kafka.names import Names

log = structlog.get_logger("connector.journal.kafka")

_HEARTBEATS = 20
_NEVER_MS = 2**31 - 1
_LISTEN_MS = 1000
_AGAIN = 0.5


class Membership:
    """Joins when it is first asked, and leaves at once when it is closed.

    Revocation means nothing: the protocol revokes everything at every rebalance and gives most of
    it back. Only an assignment counts. After an error the member leaves and joins again. A member
    that was out of the group owns nothing from before: another may have owned it in between.

    Args:
        session, rebalance: timeouts in milliseconds.
        changed: called in the event loop with each new assignment, before it is returned.
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
        self._clients = clients
        self._names = names
        self._session = session
        self._rebalance = rebalance
        self._changed = changed
        self._mine: frozenset[int] = frozenset()
        self._name = ""
        self._was_out = False
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def mine(self) -> frozenset[int]:
        """The partitions of the last assignment."""
        return self._mine

    async def assigned(self, known: frozenset[int]) -> frozenset[int]:
        """The partitions that are this process's; returns as soon as they differ from ``known``.

        None at first when it was out of the group since ``known``.
        """
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._stay())
        while self._mine == known and not self._was_out:
            self._news.clear()
            await self._news.wait()
        out, self._was_out = self._was_out, False
        return frozenset() if out and known else self._mine

    async def close(self) -> None:
        """Leave the group; twice is harmless."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def take(self, partitions: Iterable[int], name: str) -> None:
        """Take an assignment; ``name``: the member of the group that it is for."""
        if self._name not in {"", name}:
            self._was_out = True
            self._changed(frozenset())
        self._name = name
        self._mine = frozenset(partitions)
        self._changed(self._mine)
        self._news.set()

    async def _stay(self) -> None:
        while True:
            consumer = self._member()
            try:
                consumer.subscribe([self._names.events], listener=_Listener(consumer, self.take))
                await consumer.start()
                while True:
                    # All that it assigns is paused; errors of the group come out here, only here.
                    await consumer.getmany(timeout_ms=_LISTEN_MS)
            except faults.EXPECTED as error:
                log.warning("journal.membership_failed", error=type(error).__name__)
            finally:
                await end_consumer(consumer)
            await asyncio.sleep(_AGAIN)

    def _member(self) -> AIOKafkaConsumer:
        return self._clients.consumer(
            group_id=self._names.group,
            partition_assignment_strategy=[StickyPartitionAssignor],
            session_timeout_ms=self._session,
            heartbeat_interval_ms=self._session // _HEARTBEATS,
            rebalance_timeout_ms=self._rebalance,
            max_poll_interval_ms=_NEVER_MS,
            max_partition_fetch_bytes=1,
        )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """Receives assignments. Events are read by a consumer that rebalances do not affect."""

    def __init__(
        self, consumer: AIOKafkaConsumer, take: Callable[[Iterable[int], str], None]
    ) -> None:
        self._consumer = consumer
        self._take = take

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Change nothing: what does not come back is dropped with the next assignment."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take the new assignment."""
        places = list(assigned)
        self._consumer.pause(*places)
        # The group knows a member by a name that it loses with its place; aiokafka does not tell.
        name = self._consumer._coordinator.member_id  # noqa: SLF001
        self._take((place.partition for place in places), name)
