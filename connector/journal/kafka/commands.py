"""Commands to a partition, found ahead of the events before them.

The number of events in memory is limited. While more wait with the brokers, a second
consumer, the scout, looks through them for commands; it looks at keys only, and ends where the
first one has caught up with it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.core.errors import Transient
from connector.core.model import is_partition
from connector.journal.kafka.batches import batches
from connector.journal.kafka.clients import Clients, assign, end_consumer
from connector.journal.kafka.cloudevents import Incoming

LISTEN_MS = 100
_FETCH_BYTES = 262_144
_AT_ONCE = 4096
"""Records that the scout looks at in one go."""


class Lane:
    """The commands to one partition that were met and are not committed yet.

    ``looked``: the offset up to which nothing was left out. ``end``: what was durable at the
    take-over lies before it. ``scouting``: the scout is ahead of the reader of events.
    """

    def __init__(self) -> None:
        self.begin(0, 0)

    def begin(self, after: int, end: int) -> None:
        """Begin behind a position; what was there is forgotten."""
        self.looked = after
        self.end = end
        self.scouting = False
        self._found: deque[Incoming] = deque()

    def look(self, records: Sequence[Incoming]) -> bool:
        """Take records of either reader, in order; whether a command was among them."""
        before = len(self._found)
        self._found.extend(
            one for one in records if one.offset >= self.looked and _is_command(one.key)
        )
        self.looked = max(self.looked, records[-1].offset + 1)
        return len(self._found) > before

    def behind(self, position: int) -> list[Incoming]:
        """Commands behind a position, in order."""
        return [one for one in self._found if one.offset >= position]

    def pass_by(self, position: int) -> None:
        """Remove the commands that a committed round has applied."""
        while self._found and self._found[0].offset < position:
            self._found.popleft()


def _is_command(key: bytes | None) -> bool:
    return key is not None and is_partition(key.decode(errors="replace"))


class Scout:
    """Searches records that do not fit in memory. ``lanes``: by partition, fed by both readers.

    Args:
        places: the partitions of the topic of events, by number.
        ring: called with the partitions in which a command was found.
    """

    def __init__(
        self,
        clients: Clients,
        places: Sequence[TopicPartition],
        ring: Callable[[Iterable[int]], None],
    ) -> None:
        self._clients = clients
        self._places = places
        self._ring = ring
        self._consumer: AIOKafkaConsumer | None = None
        self.lanes = [Lane() for _ in places]

    async def start(self) -> None:
        """Connect; raises ``JRN-001``."""
        self._consumer = await connected(self._clients, self._places)

    async def close(self) -> None:
        """End; twice is harmless."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)

    def send(self, partition: int) -> None:
        """Search the records that stay with the brokers for commands."""
        lane = self.lanes[partition]
        if self._consumer is not None and not lane.scouting:
            lane.scouting = True
            self._consumer.seek(self._places[partition], lane.looked)
            self._consumer.resume(self._places[partition])

    def recall(self, partition: int) -> None:
        """Stop searching: the reader of events has caught up."""
        lane = self.lanes[partition]
        if self._consumer is not None and lane.scouting:
            lane.scouting = False
            self._consumer.pause(self._places[partition])

    async def look_ahead(self) -> None:
        """Never ends by itself."""
        async for found in batches(self._opened(), wait_ms=LISTEN_MS * 10, most=_AT_ONCE):
            for place, batch in found.items():
                lane = self.lanes[place.partition]
                if lane.scouting and lane.look(incoming(batch)):
                    self._ring([place.partition])

    async def looked_through(self, partition: int, reader: AIOKafkaConsumer) -> bool:
        """Whether all was looked at; markers of transactions are passed without a record."""
        lane = self.lanes[partition]
        if lane.looked >= lane.end:
            return True
        ahead = self._opened() if lane.scouting else reader
        position: int = await ahead.position(self._places[partition])
        return position >= lane.end

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise Transient("JRN-001", "using journal: it is not open")
        return self._consumer


async def connected(clients: Clients, places: Sequence[TopicPartition]) -> AIOKafkaConsumer:
    """A consumer of these partitions, each of them paused; raises ``JRN-001``."""
    consumer = clients.consumer(max_partition_fetch_bytes=_FETCH_BYTES, fetch_max_wait_ms=LISTEN_MS)
    await assign(consumer, places)
    for place in places:
        consumer.seek(place, 0)
        consumer.pause(place)
    return consumer


def incoming(batch: Sequence[ConsumerRecord]) -> list[Incoming]:
    """Records as this program knows them."""
    return [Incoming(one.offset, one.timestamp, one.key, one.value, one.headers) for one in batch]
