"""What lies in a topic: where it ends, and its records."""

from collections.abc import Iterable, Mapping

from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.journal.kafka.clients import Clients, end_consumer
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.settings import KafkaSettings

_WAIT_MS = 200

Ends = Mapping[TopicPartition, int]


async def ends(options: KafkaSettings) -> dict[TopicPartition, int]:
    """The offset behind the last record, for each partition of all topics of a prefix."""
    consumer = Clients(options).consumer(committed=False)
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, number)
            for topic in options.names.topics
            for number in range(options.partitions)
        ]
        found: dict[TopicPartition, int] = await consumer.end_offsets(places)
    finally:
        await end_consumer(consumer)
    return found


async def records(options: KafkaSettings, begin: Ends, end: Ends) -> list[ConsumerRecord]:
    """The committed records between two ends, in order for each partition."""
    consumer = Clients(options).consumer()
    await consumer.start()
    try:
        consumer.assign(list(end))
        for place in end:
            consumer.seek(place, begin.get(place, 0))
        found: list[ConsumerRecord] = []
        while any([await consumer.position(place) < offset for place, offset in end.items()]):
            for batch in (await consumer.getmany(timeout_ms=_WAIT_MS)).values():
                found += [one for one in batch if one.offset < end[place_of(one)]]
    finally:
        await end_consumer(consumer)
    return found


def rows(found: Ends) -> list[tuple[str, int, int]]:
    """Ends as JSON takes them; :func:`ends_from` is the way back."""
    return [(place.topic, place.partition, offset) for place, offset in found.items()]


def ends_from(given: Iterable[tuple[str, int, int]]) -> dict[TopicPartition, int]:
    """Ends from rows of topic, partition, offset."""
    return {TopicPartition(topic, partition): offset for topic, partition, offset in given}


def place_of(record: ConsumerRecord) -> TopicPartition:
    """Where a record lies."""
    return TopicPartition(record.topic, record.partition)


def again(record: ConsumerRecord, topic: str) -> Outgoing:
    """The same bytes for another topic with as many partitions."""
    return Outgoing(topic, record.partition, record.key, record.value, record.headers)
