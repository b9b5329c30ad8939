"""What really lies in the topics is what the AsyncAPI document describes."""

from collections import Counter
from pathlib import Path

from aiokafka.structs import TopicPartition

from connector.core.journal import DeadLetter, StateRow
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.end_offsets import EndOffsets
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import (
    chained,
    event,
    holder,
    next_round,
    some_subjects,
)
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.patience import PATIENCE
from tests.schemas.asyncapi import DOCUMENT, Written, messages


async def work(world: KafkaWorld) -> None:
    """One of everything: events read, a state, one taken back, audit, letters, settled ones."""
    journal = world.journal
    first, second, third = some_subjects(journal, 3)
    await journal.append([event(first), event(second), event(third)])
    record = await journal.take_over(0)
    read = await journal.read(0, 0, 10)
    last = read[-1].position
    letter = DeadLetter(partition=0, position=last, code="SRV-003", original="AA==", at=1)
    begun = next_round(
        record,
        position=last,
        states=[StateRow(key=first, state=holder(first))],
        audit=chained(record, 2, first),
        events=[event(second, "told")],
        dead_letters=[letter],
    )
    await journal.commit(begun)
    ended = next_round(begun.record, states=[StateRow(key=first, state=None)], settled=[last])
    await journal.commit(ended)


async def test_every_record_is_described(topics: KafkaSettings, tmp_path: Path) -> None:
    """Each is exactly one of the messages of its channel, and each kind has been written."""
    async with opened(topics, tmp_path) as world:
        await work(world)
    addresses = {
        one["address"].replace("{prefix}", topics.prefix): name
        for name, one in DOCUMENT["channels"].items()
    }
    assert addresses.keys() == set(topics.names.topics)
    consumer = Clients(topics).consumer()
    await consumer.start()
    places = [TopicPartition(topic, 0) for topic in addresses]
    consumer.assign(places)
    asked = EndOffsets(Clients(topics), PATIENCE)  # the last commit's marker may be under way
    await asked.start()
    ends = await asked.of(places)
    await asked.close()
    found: Counter[tuple[str, ...]] = Counter()
    while any([await consumer.position(place) < end for place, end in ends.items()]):
        for place, batch in (await consumer.getmany(timeout_ms=200)).items():
            for one in batch:
                is_ = messages(addresses[place.topic], Written(one.key, one.value, one.headers))
                found[place.topic, *is_] += 1
    await consumer.stop()
    names = topics.names
    assert found == {
        (names.events, "event"): 4,
        (names.states, "partition"): 3,
        (names.states, "state"): 1,
        (names.states, "remembered"): 2,
        (names.audit, "audit"): 2,
        (names.dead_letter, "letter"): 1,
        (names.dead_letter, "settled"): 1,
    }
