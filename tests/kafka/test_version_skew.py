"""Programs of different versions on the same topics."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.structs import TopicPartition

from connector.core.errors import Family
from connector.core.journal import DeadLetter, StateRow, StatusFilter
from connector.core.states import Brakes
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.end_offsets import EndOffsets
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import (
    event,
    holder,
    read_ids,
    refusal,
    some_subjects,
    written,
)
from tests.kafka import forging
from tests.kafka.kafka_world import KafkaWorld, opened

FIRST = Path(__file__).parents[1] / "data" / "kafka" / "states-1.json"
"""Records of partition 1 of 4 as the first version wrote them: key, headers, value, all text."""


@pytest.fixture
async def world(topics: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    async with opened(topics, tmp_path) as world:
        yield world


def of_the_future(record: Outgoing) -> Outgoing:
    """A record of the next schema version, with members unknown to this one."""
    headers = [("schema", b"2"), ("shape", b"unknown")]
    return record._replace(headers=headers, value=b"\x00 not even JSON")


async def test_records_of_the_first_version_are_read(topics: KafkaSettings, tmp_path: Path) -> None:
    records = [
        Outgoing(
            topic=topics.names.states,
            partition=1,
            key=one["key"].encode(),
            value=None if one["value"] is None else one["value"].encode(),
            headers=[(name, value.encode()) for name, value in one["headers"].items()],
        )
        for one in json.loads(FIRST.read_text())
    ]
    await forging.slipped_in(topics, records)
    async with opened(topics, tmp_path) as world:
        first, second = some_subjects(world.journal, 2, 1)
        states = await world.journal.load([first, second])
        assert states[first].version == 3
        assert second not in states
        assert await world.journal.lanes(1) == [("list:mail", 5000), ("look_up:mail", 4000)]
        assert await world.journal.counts() == {("holder", "mail", "planning"): 1}
        for _ in range(12):
            await world.plant(1, b"consumed long ago")
        record = await world.journal.take_over(1)
        assert (record.epoch, record.commits, record.position) == (3, 17, 12)
        assert record.brakes == Brakes(routes_paused=frozenset({"mail"}), paused_since=5)
        await world.journal.append([event(second, "known"), event(second, "new")])
        assert await read_ids(world.journal, 1) == [event(second, "new").id]


async def test_a_newer_state_stops_its_partition_and_no_other(world: KafkaWorld) -> None:
    """Nothing is written there, and what is said names both versions."""
    journal = world.journal
    here, there = some_subjects(journal, 1)[0], some_subjects(journal, 1, 1)[0]
    record = await journal.take_over(0)
    await written(journal, record, states=[StateRow(key=here, state=holder(here, version=1))])
    newer = of_the_future(forging.state(world.options, here, epoch=9, version=9))
    await forging.slipped_in(world.options, [newer])
    ends = EndOffsets(Clients(world.options), forging.LIMIT)
    await ends.start()
    places = [
        TopicPartition(topic, 0)
        for topic in (world.options.names.states, world.options.names.audit)
    ]
    before = await ends.of(places)
    for _ in range(2):
        error = await refusal(journal.take_over(0))
        assert (error.code, error.family) == ("JRN-007", Family.PERMANENT)
        assert "version 2" in error.detail
        assert "knows 1" in error.detail
        await world.restart()
        journal = world.journal
    assert await ends.of(places) == before
    await ends.close()
    mine = await journal.take_over(1)
    await written(journal, mine, states=[StateRow(key=there, state=holder(there))])
    assert holder(there) in await journal.status(StatusFilter())


async def test_events_of_the_future_are_dead_letters_and_the_partition_goes_on(
    world: KafkaWorld,
) -> None:
    """Original bytes and headers are kept, so that a newer program can read them."""
    (subject,) = some_subjects(world.journal, 1)
    original = event(subject).model_dump(mode="json") | {"schema_version": 2}
    await world.plant(0, json.dumps(original).encode())
    await world.journal.append([event(subject, "after")])
    letter, _ = await world.journal.read(0, 0, 10)
    assert isinstance(letter, DeadLetter)
    assert letter.code == "EVT-005"
    assert json.loads(base64.b64decode(letter.original)) == original
    assert await read_ids(world.journal, 0, letter.position) == [event(subject, "after").id]


async def test_an_event_in_the_wrong_partition_is_a_dead_letter(world: KafkaWorld) -> None:
    """Its writer knew another number of partitions: its order is lost already."""
    (elsewhere,) = some_subjects(world.journal, 1, 1)
    await world.plant(0, event(elsewhere).model_dump_json().encode())
    (letter,) = await world.journal.read(0, 0, 10)
    assert isinstance(letter, DeadLetter)
