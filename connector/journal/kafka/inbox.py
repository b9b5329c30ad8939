"""Reads the events of the partitions that this process owns."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.core.errors import Transient
from connector.core.journal import Positioned
from connector.journal.bells import Bells
from connector.journal.kafka import cloudevents, faults
from connector.journal.kafka.batches import batches
from connector.journal.kafka.box import FULL, Box, Consumed, Entry
from connector.journal.kafka.clients import Clients, end_consumer
from connector.journal.kafka.cloudevents import Incoming
from connector.journal.kafka.ends import PAUSE, Ends
from connector.journal.kafka.local import LocalTables
from connector.journal.kafka.records import is_partition, remembered

log = structlog.get_logger("connector.journal.kafka")

_LISTEN_MS = 100
_FETCH_BYTES = 262_144


class Inbox:
    """One consumer for all partitions, each of which is paused until somebody reads it.

    It is in no group: a group's rebalance would set back its positions and forget its pauses.

    Args:
        places: the partitions of the topic of events, by number.
        patience: seconds that :meth:`read` waits for what this process is known to have written.
    """

    def __init__(
        self,
        clients: Clients,
        ends: Ends,
        local: LocalTables,
        places: Sequence[TopicPartition],
        patience: float,
    ) -> None:
        """Nothing is connected yet."""
        self._clients = clients
        self._ends = ends
        self._local = local
        self._places = places
        self._patience = patience
        self._boxes = [Box() for _ in places]
        self._bells = Bells(len(places))
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect; raises ``JRN-001``."""
        consumer = self._clients.consumer(
            max_partition_fetch_bytes=_FETCH_BYTES, fetch_max_wait_ms=_LISTEN_MS
        )
        try:
            await consumer.start()
            consumer.assign(self._places)
        except faults.EXPECTED as error:
            await end_consumer(consumer)
            raise faults.unwritable("connecting to the cluster", error) from error
        for place in self._places:
            consumer.seek(place, 0)
            consumer.pause(place)
        self._consumer = consumer
        self._task = asyncio.get_running_loop().create_task(self._receive(consumer))
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """End; twice is harmless."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)
        self.ring(range(len(self._boxes)))

    def ring(self, partitions: Iterable[int]) -> None:
        """Wake who waits for these."""
        self._bells.ring(partitions)

    async def wait(self, partition: int, seconds: float) -> None:
        """Return when there may be new events, at the latest after ``seconds``."""
        if not self._boxes[partition].open:
            await self._begin(partition, (await self._local.record(partition)).position)
        await self._bells.wait(partition, seconds)

    async def begin(self, partition: int, after: int) -> None:
        """Read a partition from behind a position, unless that has begun."""
        if not self._boxes[partition].open:
            await self._begin(partition, after)

    async def _begin(self, partition: int, after: int) -> None:
        box, place = self._boxes[partition], self._places[partition]
        box.begin(after)
        consumer = self._opened()
        consumer.seek(place, after)
        consumer.resume(place)
        if not box.wanted:
            box.wanted = (await self._ends.of([place]))[place]

    async def fitting(self, partition: int, position: int) -> int:
        """The position, or the end of the topic when that has lost what was read already.

        Without it, events that come would go unread until their offsets have reached the position.
        What retention took away before it was read cannot be had back, but it is said.
        """
        place = self._places[partition]
        first, end = await self._ends.first(place), (await self._ends.of([place]))[place]
        if first > position or end < position:
            offset = max(first, end)
            log.error("journal.events_lost", partition=partition, position=position, offset=offset)
        return min(position, end)

    def end(self, partition: int) -> None:
        """Read a partition no more."""
        self._boxes[partition].close()
        if self._consumer is not None:
            self._consumer.pause(self._places[partition])

    def expect(self, partition: int, position: int) -> None:
        """Know that there are events up to a position, because this process wrote them."""
        box = self._boxes[partition]
        box.wanted = max(box.wanted, position) if box.open else 0

    async def read(self, partition: int, after: int, limit: int) -> list[Entry]:
        """The next events behind a position, each id once; unreadable ones as dead letters."""
        box = self._boxes[partition]
        if not box.open or after < box.after:
            await self._begin(partition, after)
        box.pass_by(after)
        await self._come(box, self._places[partition], limit)
        while len(box.entries(limit)) < limit and (raw := box.take_raw(limit)):
            await self._look_at(box, partition, raw)
        self._let_in(partition)
        return box.entries(limit)

    def consumed(self, partition: int, position: int, unread: Collection[int]) -> list[Consumed]:
        """The events up to a position that were read, but for those set aside as dead letters."""
        return self._boxes[partition].consumed(position, unread)

    def passed(self, partition: int, position: int) -> None:
        """Let go what a committed round has consumed."""
        self._boxes[partition].pass_by(position)

    async def _come(self, box: Box, place: TopicPartition, limit: int) -> None:
        """Wait for events that are there for certain, as long as patience and memory allow."""
        consumer = self._opened()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while box.waiting < min(limit, FULL) and box.wanted > await consumer.position(
                    place
                ):
                    box.arrived.clear()
                    await self._arrival(box)

    @staticmethod
    async def _arrival(box: Box) -> None:
        """Wait for records, but look again soon: markers of transactions arrive without any."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE):
                await box.arrived.wait()

    async def _look_at(self, box: Box, partition: int, raw: Sequence[Incoming]) -> None:
        many = len(self._boxes)
        entries = [cloudevents.incoming(record, partition, many) for record in raw]
        subjects = list({e.event.subject for e in entries if isinstance(e, Positioned)})
        heads = await self._local.heads(subjects)
        known = {key: remembered(head.seen) for key, head in heads.items()}
        own = self._local.own_seen(partition)
        known |= {key: own for key in subjects if is_partition(key)}
        box.add(entries, known)

    def _let_in(self, partition: int) -> None:
        if self._boxes[partition].waiting <= FULL // 2:
            self._opened().resume(self._places[partition])

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise Transient("JRN-001", "using journal: it is not open")
        return self._consumer

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._local.lose(error)

    async def _receive(self, consumer: AIOKafkaConsumer) -> None:
        async for found in batches(consumer, wait_ms=_LISTEN_MS * 10, most=FULL):
            for place, batch in found.items():
                self._put(consumer, place, batch)

    def _put(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, batch: Sequence[ConsumerRecord]
    ) -> None:
        box = self._boxes[place.partition]
        box.put(
            [Incoming(one.offset, one.timestamp, one.key, one.value, one.headers) for one in batch]
        )
        if box.waiting >= FULL:
            consumer.pause(place)
        self._bells.ring([place.partition])
