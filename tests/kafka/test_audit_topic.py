"""The audit topic: a change in it is found, by any process and without a service."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.core.audit import CUT, AuditEntry, link
from connector.core.journal import PartitionRecord
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector.operators.auditing import check_journal
from connector_testkit.conformance.journal_samples import KEY, chained, some_subjects, written
from connector_testkit.demo.broker import Brokers
from tests.kafka.conftest import single
from tests.kafka.kafka_world import KafkaWorld, opened

Records = list[ConsumerRecord]
RECORDS = 9


@pytest.fixture
async def world(topics: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    """A journal with a trail of some records in partition 0, of three owners."""
    async with opened(topics, tmp_path) as made:
        (subject,) = some_subjects(made.journal, 1)
        for _ in range(3):
            record = await made.journal.take_over(0)
            await written(made.journal, record, audit=chained(record, RECORDS // 3, subject))
        yield made


@pytest.fixture
async def copy_of(broker: Brokers, prefixes: Iterator[str]) -> KafkaSettings:
    """Empty topics for a copy of the journal."""
    made = single(broker, next(prefixes))
    async with administration(made) as admin:
        await create(admin, wanted(made))
    return made


async def problems(world: KafkaWorld) -> list[str]:
    """What a check of the journal finds."""
    chains = await check_journal(world.journal, KEY, ())
    return [finding.problem for chain in chains for finding in chain.findings]


async def records(options: KafkaSettings, topic: str) -> Records:
    """All records of partition 0 of a topic that transactions committed."""
    consumer = Clients(options).consumer()
    place = TopicPartition(topic, 0)
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        found: Records = []
        while await consumer.position(place) < end:
            found += (await consumer.getmany(place, timeout_ms=100)).get(place, [])
        return found
    finally:
        await consumer.stop()


async def produce(options: KafkaSettings, topic: str, forged: Sequence[ConsumerRecord]) -> None:
    producer = Clients(options).producer()
    await producer.start()
    try:
        for one in forged:
            await producer.send_and_wait(
                topic, one.value, one.key, partition=0, headers=list(one.headers)
            )
    finally:
        await producer.stop()


def changed(record: ConsumerRecord) -> ConsumerRecord:
    """The same record with another outcome."""
    told = json.loads(record.value)
    told["entry"]["outcome"] = "CA-001"
    return replaced(record, json.dumps(told).encode())


def replaced(record: ConsumerRecord, value: bytes) -> ConsumerRecord:
    """The same record with another value."""
    parts = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return ConsumerRecord(**(parts | {"value": value}))


TAMPERED: dict[str, Callable[[Records], Records]] = {
    "changed": lambda found: [*found[:4], changed(found[4]), *found[5:]],
    "missing": lambda found: [*found[:4], *found[5:]],
    "missing first": lambda found: found[1:],
    "doubled": lambda found: [*found[:5], *found[4:]],
    "last doubled": lambda found: [*found, found[-1]],
    "old one again at the end": lambda found: [*found, found[2]],
    "re-ordered": lambda found: [*found[:4], found[5], found[4], *found[6:]],
    "cut off": lambda found: found[:-1],
    "all gone": lambda _: [],
    "unreadable": lambda found: [*found[:4], replaced(found[4], b"\xff"), *found[5:]],
}


async def test_a_trail_of_several_owners_is_whole(world: KafkaWorld) -> None:
    """Read by a process that has written none of it."""
    await world.restart()
    assert await problems(world) == []


@pytest.mark.parametrize("how", TAMPERED)
async def test_tampering_with_the_topic_is_found(
    world: KafkaWorld, copy_of: KafkaSettings, tmp_path: Path, how: str
) -> None:
    """States are as they were, and say how long the chain is; the trail beside them is not."""
    old, new = world.options.names, copy_of.names
    await produce(copy_of, new.states, await records(world.options, old.states))
    trail = await records(world.options, old.audit)
    assert len(trail) == RECORDS
    await produce(copy_of, new.audit, TAMPERED[how](trail))
    async with opened(copy_of, tmp_path) as copied:
        assert await problems(copied) != []


async def test_an_untouched_copy_is_whole(
    world: KafkaWorld, copy_of: KafkaSettings, tmp_path: Path
) -> None:
    """Where the records lie does not matter."""
    for old, new in zip(world.options.names.topics, copy_of.names.topics, strict=True):
        await produce(copy_of, new, await records(world.options, old))
    async with opened(copy_of, tmp_path) as copied:
        assert await problems(copied) == []


async def cut(world: KafkaWorld, through: int) -> PartitionRecord:
    """What the owner of partition 0 writes when a person cuts its trail."""
    record = await world.journal.take_over(0)
    trail = [one async for one in world.journal.audit(0)]
    head = trail[through - 1].mac
    entry = AuditEntry(
        at=1, subject="-/partition/0", action=CUT, details={"through": through, "head": head}
    )
    told = link(
        KEY,
        partition=0,
        epoch=record.epoch,
        head=record.audit_head,
        count=record.audit_count,
        entries=[entry],
    )
    record = record.model_copy(update={"audit_cut": through, "audit_cut_head": head})
    return await written(world.journal, record, audit=list(told))


async def offset_behind(world: KafkaWorld, sequence: int) -> int:
    """Where the record behind a sequence number lies."""
    found = await records(world.options, world.options.names.audit)
    places = {json.loads(one.value)["sequence"]: int(one.offset) for one in found}
    return places[sequence + 1]


async def delete(world: KafkaWorld, admin: AIOKafkaAdminClient, offset: int) -> None:
    place = TopicPartition(world.options.names.audit, 0)
    await admin.delete_records({place: RecordsToDelete(before_offset=offset)})


async def test_a_cut_trail_may_be_deleted_up_to_the_cut(
    world: KafkaWorld, admin: AIOKafkaAdminClient
) -> None:
    """With Kafka's own tools; until then the records are there and are not asked for."""
    await cut(world, 5)
    assert await problems(world) == []
    await delete(world, admin, await offset_behind(world, 5))
    await world.restart()
    assert await problems(world) == []
    left = [one.sequence async for one in world.journal.audit(0)]
    assert left[0] == 6


async def test_whoever_deletes_more_is_found_out(
    world: KafkaWorld, admin: AIOKafkaAdminClient
) -> None:
    """One record behind the cut is missing."""
    await cut(world, 5)
    await delete(world, admin, await offset_behind(world, 6))
    assert any("expected record 6" in problem for problem in await problems(world))
