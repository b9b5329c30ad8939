"""Reads the events of the partitions that this process owns."""

import asyncio
import contextlib
from collections.abc import Collection, Coroutine, Iterable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.core.errors import Transient
from connector.core.journal import Commands, PartitionRecord, Positioned
from connector.core.model import Millis, is_partition
from connector.journal.kafka import cloudevents
from connector.journal.kafka.batches import batches
from connector.journal.kafka.clients import Clients, end_consumer
from connector.journal.kafka.cloudevents import Incoming
from connector.journal.kafka.commands import LISTEN_MS, Scout, connected, incoming
from connector.journal.kafka.end_offsets import PAUSE, EndOffsets
from connector.journal.kafka.local import LocalTables
from connector.journal.kafka.partition_buffer import (
    FULL,
    Consumed,
    Entry,
    PartitionBuffer,
    consumed,
)
from connector.journal.kafka.records import remembered
from connector.journal.partition_signals import PartitionSignals

log = structlog.get_logger("connector.journal.kafka")

_LOOK_PATIENCE = 1.0
"""Seconds that looking for the newest commands may take; an act waits for it."""


class Inbox:
    """One consumer for all partitions, each of which is paused until it is read.

    A second one, the scout, looks for commands in what does not fit into memory (:class:`Scout`).
    Neither is in a group: a group's rebalance would set back its positions and forget its pauses.

    Args:
        ends: of all records, and of those that can be read now.
        places: the partitions of the topic of events, by number.
        patience: seconds that :meth:`read` waits for what this process is known to have written.
    """

    def __init__(
        self,
        clients: Clients,
        ends: tuple[EndOffsets, EndOffsets],
        local: LocalTables,
        places: Sequence[TopicPartition],
        patience: float,
    ) -> None:
        self._clients = clients
        self._end_offsets, self._readable = ends
        self._local = local
        self._places = places
        self._patience = patience
        self._buffers = [PartitionBuffer() for _ in places]
        self._signals = PartitionSignals(len(places))
        self._consumer: AIOKafkaConsumer | None = None
        self._scout = Scout(clients, places, self._signals.ring)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect; raises ``JRN-001``."""
        self._consumer = await connected(self._clients, self._places)
        self._follow(self._receive(self._consumer))
        await self._scout.start()
        self._follow(self._scout.look_ahead())

    def _follow(self, records: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(records)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def close(self) -> None:
        """End; twice is harmless."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            await asyncio.wait([task])
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)
        await self._scout.close()
        self.ring(range(len(self._buffers)))

    def ring(self, partitions: Iterable[int]) -> None:
        """Wake the owners of these partitions."""
        self._signals.ring(partitions)

    async def wait(self, partition: int, seconds: float) -> None:
        """Return when there may be new events, or after ``seconds``."""
        if not self._buffers[partition].open:
            await self._begin(partition, (await self._local.record(partition)).position)
        await self._signals.wait(partition, seconds)

    async def begin(self, partition: int, after: int) -> None:
        """Read a partition from behind a position, unless that has begun.

        Commands count as looked through once all is that is durable now.
        """
        if not self._buffers[partition].open:
            await self._begin(partition, after)
        else:
            place = self._places[partition]
            self._scout.lanes[partition].end = (await self._end_offsets.of([place]))[place]

    async def _begin(self, partition: int, after: int) -> None:
        buffer, place = self._buffers[partition], self._places[partition]
        end = (await self._end_offsets.of([place]))[place]
        consumer = self._opened()
        self._scout.recall(partition)
        buffer.begin(after)
        buffer.wanted = max(buffer.wanted, end)
        self._scout.lanes[partition].begin(after, end)
        consumer.seek(place, after)
        consumer.resume(place)

    async def fitting(self, partition: int, position: int) -> int:
        """The position, or the end of the topic when that has lost what was read already.

        Without it, events that come would go unread until their offsets have reached the position.
        Events that retention deleted before they were read are lost, which is logged.
        """
        place = self._places[partition]
        first, end = (
            await self._end_offsets.first(place),
            (await self._end_offsets.of([place]))[place],
        )
        if first > position or end < position:
            offset = max(first, end)
            log.error("journal.events_lost", partition=partition, position=position, offset=offset)
        return min(position, end)

    def end(self, partition: int) -> None:
        """Stop reading a partition."""
        self._buffers[partition].close()
        self._scout.recall(partition)
        if self._consumer is not None:
            self._consumer.pause(self._places[partition])

    def expect(self, partition: int, position: int) -> None:
        """Note that there are events up to a position, because this process wrote them."""
        buffer = self._buffers[partition]
        buffer.wanted = max(buffer.wanted, position) if buffer.open else 0

    async def read(self, partition: int, after: int, limit: int) -> list[Entry]:
        """The next events behind a position, each id once; unreadable ones as dead letters."""
        buffer = self._buffers[partition]
        if not buffer.open or after < buffer.after:
            await self._begin(partition, after)
        buffer.pass_by(after)
        self._let_in(partition)
        await self._come(buffer, self._places[partition], limit)
        while len(buffer.entries(limit)) < limit and (raw := buffer.take_raw(limit)):
            await self._look_at(buffer, partition, raw)
        return buffer.entries(limit)

    async def commands(self, partition: int, after: int) -> Commands:
        """Commands behind a position, each id once; the unreadable are left to :meth:`read`."""
        if not self._buffers[partition].open:
            await self._begin(partition, after)
        known, found = self._local.own_seen(partition), dict[str, Positioned]()
        for entry in self._commands(partition, after):
            if entry.event.id not in known:
                found.setdefault(entry.event.id, entry)
        return Commands(
            tuple(found.values()), await self._scout.looked_through(partition, self._opened())
        )

    async def look_to_the_end(self, partition: int) -> None:
        """Look for commands in all that can be read now, as far as patience allows."""
        lane, place = self._scout.lanes[partition], self._places[partition]
        end = (await self._readable.of([place]))[place]
        lane.end = max(lane.end, end)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_PATIENCE):
                while not await self._scout.looked_through(partition, self._opened()):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(PAUSE)

    def unread(self) -> tuple[int, Millis | None]:
        """How many events lie here for the partitions that are read, and when the oldest came."""
        times = [since for one in self._buffers if (since := one.oldest()) is not None]
        return sum(one.waiting for one in self._buffers), min(times, default=None)

    def _commands(self, partition: int, after: int) -> list[Positioned]:
        entries = [
            cloudevents.incoming(record, partition, len(self._buffers))
            for record in self._scout.lanes[partition].behind(after)
        ]
        return [entry for entry in entries if isinstance(entry, Positioned)]

    def applied(self, partition: int, position: int) -> list[Consumed]:
        """The commands up to a position, which a round has applied ahead of their turn."""
        entries = self._commands(partition, 0)
        return consumed(entry for entry in entries if entry.position <= position)

    def consumed(self, partition: int, position: int, unread: Collection[int]) -> list[Consumed]:
        """The events up to a position that were read, but for those set aside as dead letters."""
        return self._buffers[partition].consumed(position, unread)

    def passed(self, partition: int, record: PartitionRecord) -> None:
        """Remove what a committed round has consumed."""
        self._buffers[partition].pass_by(record.position)
        self._scout.lanes[partition].pass_by(record.commanded)

    async def _come(self, buffer: PartitionBuffer, place: TopicPartition, limit: int) -> None:
        """Wait for events that are there for certain, as long as patience and memory allow."""
        consumer = self._opened()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while buffer.waiting < min(limit, FULL) and buffer.wanted > await consumer.position(
                    place
                ):
                    buffer.arrived.clear()
                    await self._arrival(buffer)

    @staticmethod
    async def _arrival(buffer: PartitionBuffer) -> None:
        """Wait for records, but look again soon: markers of transactions arrive without any."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE):
                await buffer.arrived.wait()

    async def _look_at(
        self, buffer: PartitionBuffer, partition: int, raw: Sequence[Incoming]
    ) -> None:
        many = len(self._buffers)
        entries = [cloudevents.incoming(record, partition, many) for record in raw]
        subjects = list({e.event.subject for e in entries if isinstance(e, Positioned)})
        heads = await self._local.heads(subjects)
        known = {key: remembered(head.seen) for key, head in heads.items()}
        own = self._local.own_seen(partition)
        known |= {key: own for key in subjects if is_partition(key)}
        buffer.add(entries, known)

    def _let_in(self, partition: int) -> None:
        if self._buffers[partition].waiting <= FULL // 2:
            self._opened().resume(self._places[partition])

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise Transient("JRN-001", "using journal: it is not open")
        return self._consumer

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._local.lose(error)

    async def _receive(self, consumer: AIOKafkaConsumer) -> None:
        async for found in batches(consumer, wait_ms=LISTEN_MS * 10, most=FULL):
            for place, batch in found.items():
                self._put(consumer, place, batch)

    def _put(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, batch: Sequence[ConsumerRecord]
    ) -> None:
        buffer, lane = self._buffers[place.partition], self._scout.lanes[place.partition]
        records = incoming(batch)
        buffer.put(records)
        lane.look(records)
        if buffer.waiting >= FULL:
            consumer.pause(place)
            self._scout.send(place.partition)
        elif lane.looked == records[-1].offset + 1:
            self._scout.recall(place.partition)
        self._signals.ring([place.partition])
