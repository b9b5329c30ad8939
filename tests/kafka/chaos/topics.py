"""What the topics say, read from the brokers themselves, record by record."""

from collections.abc import Iterator
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.core.audit import AuditRecord
from connector.core.events import Event
from connector.core.journal import PartitionRecord, Positioned
from connector.core.states import DeviceState, HolderState, PersonState, State
from connector.journal.kafka.cloudevents import Incoming, incoming
from connector.journal.kafka.names import Names
from connector.journal.kafka.records import OwnRecord, StateRecord, read

PAGE_MS = 100
KINDS: dict[str, type[HolderState | DeviceState | PersonState]] = {
    "holder": HolderState,
    "device": DeviceState,
    "person": PersonState,
}


class Taken(NamedTuple):
    """An event as it lies in its topic."""

    partition: int
    position: int
    event: Event


class Topics:
    """All that was committed so far; ``async with Topics(bootstrap, names, 6) as topics:``.

    ``taken``, ``written`` and ``own`` are events, subjects' records and the partitions' own ones,
    each partition's in the order of its topic; ``strange`` is what could not be read.
    """

    def __init__(self, bootstrap: str, names: Names, partitions: int) -> None:
        """Nothing is connected yet."""
        self._names = names
        self._partitions = partitions
        self._places = [
            TopicPartition(topic, number) for topic in names.topics for number in range(partitions)
        ]
        self._consumers = [
            AIOKafkaConsumer(
                bootstrap_servers=bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level=isolation,
            )
            for isolation in ("read_committed", "read_uncommitted")
        ]
        self.taken: list[Taken] = []
        self.written: list[StateRecord] = []
        self.own: list[OwnRecord] = []
        self.strange: list[str] = []
        self._audit: list[AuditRecord] = []
        self._newest: dict[str, StateRecord] = {}
        self._parsed: dict[str, tuple[StateRecord, State]] = {}

    async def __aenter__(self) -> Self:
        """Connect."""
        for consumer in self._consumers:
            await consumer.start()
        self._consumers[0].assign(self._places)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        for consumer in self._consumers:
            await consumer.stop()

    async def refresh(self) -> None:
        """Read on to where the topics end now, behind transactions that are open at the moment."""
        reading, asking = self._consumers
        ends = await asking.end_offsets(self._places)
        while [place for place in self._places if await reading.position(place) < ends[place]]:
            for place, records in (await reading.getmany(timeout_ms=PAGE_MS)).items():
                for record in records:
                    self._take(place, record)

    def _take(self, place: TopicPartition, record: ConsumerRecord) -> None:
        plain = Incoming(record.offset, record.timestamp, record.key, record.value, record.headers)
        if place.topic == self._names.events:
            self._take_event(place.partition, plain)
        elif place.topic == self._names.states:
            self._take_state(place.partition, plain)
        elif place.topic == self._names.audit:
            self._audit.append(AuditRecord.model_validate_json(record.value))
        else:
            self.strange.append(f"a dead letter at {place}, {record.offset}")

    def _take_event(self, partition: int, record: Incoming) -> None:
        found = incoming(record, partition, self._partitions)
        if isinstance(found, Positioned):
            self.taken.append(Taken(partition, found.position, found.event))
        else:
            self.strange.append(f"an unreadable event in {partition} at {record.offset}")

    def _take_state(self, partition: int, record: Incoming) -> None:
        found = read(record, partition)
        if isinstance(found, OwnRecord):
            self.own.append(found)
        elif isinstance(found, StateRecord):
            self.written.append(found)
            known = self._newest.get(found.head.key)
            if known is None or found.head.rank > known.head.rank:
                self._newest[found.head.key] = found
        else:
            self.strange.append(f"a state of a newer program in {partition} at {record.offset}")

    def newest(self, key: str) -> StateRecord | None:
        """The record of a subject that counts: the greatest by epoch and version."""
        return self._newest.get(key)

    def state(self, key: str) -> State | None:
        """The state of a subject, if there is one."""
        record = self._newest.get(key)
        if record is None or record.columns is None:
            return None
        known = self._parsed.get(key)
        if known is None or known[0] is not record:
            kind = KINDS[record.columns.kind]
            known = (record, kind.model_validate_json(record.columns.state))
            self._parsed[key] = known
        return known[1]

    def holder(self, key: str) -> HolderState | None:
        """The state of a holder, if there is one."""
        state = self.state(key)
        return state if isinstance(state, HolderState) else None

    def device(self, key: str) -> DeviceState | None:
        """The state of a device, if there is one."""
        state = self.state(key)
        return state if isinstance(state, DeviceState) else None

    def by_subject(self) -> Iterator[tuple[str, list[StateRecord]]]:
        """Every subject with its records, oldest first."""
        history: dict[str, list[StateRecord]] = {}
        for record in self.written:
            history.setdefault(record.head.key, []).append(record)
        yield from history.items()

    def unread(self) -> list[Taken]:
        """Events that no committed round has read yet."""
        read_to = {record.partition: record.position for record in self.records()}
        return [one for one in self.taken if one.position > read_to.get(one.partition, 0)]

    def events(self) -> set[str]:
        """The ids of all events that were ever taken."""
        return {one.event.id for one in self.taken}

    def records(self) -> list[PartitionRecord]:
        """What each partition says of itself."""
        newest = {one.partition: one for one in self.own}
        return [newest[number].parse() for number in sorted(newest)]

    def audit(self, partition: int | None = None) -> list[AuditRecord]:
        """The audit trail, of one partition or of all, in the order of the topic."""
        wanted = [one for one in self._audit if partition in {None, one.partition}]
        return sorted(wanted, key=lambda one: one.partition)
