"""Follows states and dead letters of all partitions into the local tables."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.core.errors import Transient
from connector.journal.kafka import letters, records
from connector.journal.kafka.batches import batches
from connector.journal.kafka.clients import MEBI, Clients, assign, end_consumer
from connector.journal.kafka.cloudevents import Incoming
from connector.journal.kafka.end_offsets import PAUSE, EndOffsets, reached
from connector.journal.kafka.local import Changes, LocalTables

log = structlog.get_logger("connector.journal.kafka")

_LISTEN_MS = 100
_PAGE = 500
_FETCH_BYTES = 2 * MEBI
"""How much is on its way at once. With ten times as much of both, a process that has read a hundred
thousand states at its start keeps more than twice the memory for good, and is no quicker."""
_AGAIN = 0.2


class Follower:
    """Reads the topics from the beginning, and then follows them.

    The partition that this process owns is left out: the owner writes the tables by itself.
    """

    def __init__(
        self, clients: Clients, ends: EndOffsets, local: LocalTables, states: str, dead_letters: str
    ) -> None:
        """``states`` and ``dead_letters``: the topics."""
        self._clients = clients
        self._end_offsets = ends
        self._local = local
        self._states = states
        self._letters = dead_letters
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None
        self._applying = False
        self._live = False
        self.too_new: dict[int, int] = {}
        """Partitions with a record of a newer program, and the newest version there."""

    async def start(self, partitions: int, limit: float) -> None:
        """Begin, and return when the tables are as the topics were at the call.

        Raises:
            Transient: ``JRN-001`` when that takes longer than ``limit`` seconds.
        """
        places = [
            TopicPartition(topic, number)
            for topic in (self._states, self._letters)
            for number in range(partitions)
        ]
        self._consumer = await self._connected(places)
        self._task = asyncio.get_running_loop().create_task(self._follow(self._consumer))
        self._task.add_done_callback(self._ended)
        await self._catch_up(places, limit)
        self._live = True

    async def close(self) -> None:
        """End; twice is harmless."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)

    async def catch_up(self, partition: int, limit: float) -> None:
        """Bring the tables of a partition up to date with its topic, and follow it from then on.

        Raises:
            Transient: ``JRN-001`` when that takes longer than ``limit`` seconds.
        """
        place = TopicPartition(self._states, partition)
        self._opened().resume(place)
        await self._catch_up([place], limit)

    async def catch_up_letters(self, partitions: int, limit: float) -> None:
        """The same for dead letters of all partitions."""
        places = [TopicPartition(self._letters, number) for number in range(partitions)]
        await self._catch_up(places, limit)

    async def is_current(self, partitions: Iterable[int], limit: float) -> bool:
        """Whether, within ``limit`` seconds, the tables of partitions are as their topics are now.

        They are not while a transaction in them is open, and while the brokers do not answer.
        """
        places = [TopicPartition(self._states, number) for number in partitions]
        if not places:
            return True
        try:
            async with asyncio.timeout(limit):
                await self._catch_up(places, limit)
        except (TimeoutError, Transient):
            return False
        return True

    def leave(self, partition: int) -> None:
        """Stop following a partition: this process is its owner."""
        self._opened().pause(TopicPartition(self._states, partition))

    def written(self, partition: int, position: int) -> None:
        """Note that the owner has written everything before ``position`` into the tables."""
        self._opened().seek(TopicPartition(self._states, partition), position)

    def follow(self, partition: int) -> None:
        """Follow a partition again."""
        if self._consumer is not None:
            self._consumer.resume(TopicPartition(self._states, partition))

    async def _connected(self, places: Sequence[TopicPartition]) -> AIOKafkaConsumer:
        consumer = self._clients.consumer(
            max_partition_fetch_bytes=MEBI // 2,
            fetch_max_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=_LISTEN_MS,
        )
        await assign(consumer, places)
        return consumer

    async def _catch_up(self, places: Sequence[TopicPartition], limit: float) -> None:
        consumer = self._opened()
        targets = await self._end_offsets.of(places)
        if not await reached(consumer, targets, limit):
            raise Transient("JRN-001", "reading states: not at the end yet; a transaction may hang")
        while self._applying:  # noqa: ASYNC110 - a few milliseconds, after a look that polls anyway
            await asyncio.sleep(PAUSE)
        self._local.opened()

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise Transient("JRN-001", "using journal: it is not open")
        return self._consumer

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Following has ended, so the tables become stale: the process must end."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._local.lose(error)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Never ends by itself: nothing that was read is left out."""
        async for found in batches(consumer, wait_ms=_LISTEN_MS, most=_PAGE):
            self._applying = True
            await self._apply(self._changes(found))
            self._applying = False

    async def _apply(self, changes: Changes) -> None:
        while True:
            try:
                return await self._local.apply(changes)
            except Transient as error:  # the local disk is full: nothing may be left out
                log.warning("journal.following_failed", error=error.code)
                await asyncio.sleep(_AGAIN)

    def _changes(self, found: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> Changes:
        changes = Changes()
        for place, batch in found.items():
            if place.topic == self._letters:
                changes.letters += letters.read(batch, place.partition)
            else:
                self._gather(changes, batch, place.partition)
        return changes

    def _gather(self, changes: Changes, batch: Iterable[ConsumerRecord], partition: int) -> None:
        """Take records apart in their order.

        Once live, a smaller epoch behind a greater one is never valid: the new owner had fenced
        all before it. During a restore this cannot be checked: compaction keeps the raise last.
        """
        floor = self._local.epoch(partition) if self._live else 0
        for one in batch:
            try:
                record = records.read(_incoming(one), partition)
            except ValueError:
                log.warning("journal.foreign_state", partition=partition, offset=one.offset)
                continue
            if isinstance(record, records.TooNew):
                newest = max(record.schema, self.too_new.get(partition, 0))
                self.too_new[partition] = newest
            elif isinstance(record, records.OwnRecord):
                known = changes.own.get(partition)
                if known is None or record.rank > known.rank:
                    changes.own[partition] = record
                floor = max(floor, record.epoch) if self._live else 0
            elif record.head.epoch >= floor:
                changes.states.append(record)
            else:
                log.warning("journal.late_state", partition=partition, offset=one.offset)


def _incoming(record: ConsumerRecord) -> Incoming:
    return Incoming(record.offset, record.timestamp, record.key, record.value, record.headers)
