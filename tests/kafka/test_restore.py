"""Any process fills its tables from the topics, and takes a partition over where it was left."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from aiokafka.structs import TopicPartition

from connector.core.journal import Journal, PartitionRecord, StateRow, StatusFilter
from connector.core.model import DAY, SubjectKey
from connector.core.states import HolderState
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.end_offsets import EndOffsets
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import (
    event,
    holder,
    numbered,
    read_ids,
    refusal,
    some_subjects,
    want,
    written,
)
from connector_testkit.demo.polling import until
from tests.kafka import forging
from tests.kafka.kafka_world import KafkaWorld, opened, unfinished

LIMIT = timedelta(seconds=2)


@pytest.fixture
async def world(topics: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    async with opened(topics.model_copy(update={"append_timeout": LIMIT}), tmp_path) as world:
        yield world


async def put(journal: Journal, record: PartitionRecord, *states: HolderState) -> PartitionRecord:
    """Write states in one round."""
    rows = [StateRow(key=state.key, state=state) for state in states]
    return await written(journal, record, states=rows)


async def sees(journal: Journal, expected: dict[SubjectKey, HolderState]) -> None:
    """Wait until a process knows these states."""

    async def there() -> bool:
        return await journal.load(list(expected)) == expected

    await until("the states are seen", there)


async def test_every_process_answers_for_every_subject(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    here, there = some_subjects(other, 1)[0], some_subjects(other, 1, 1)[0]
    await put(world.journal, await world.journal.take_over(0), holder(here, route="a"))
    await put(other, await other.take_over(1), holder(there, route="b"))
    expected = {here: holder(here, route="a"), there: holder(there, route="b")}
    for journal in (world.journal, other):
        await sees(journal, expected)
        listed = await journal.status(StatusFilter())
        assert {state.key: state for state in listed} == expected
        assert await journal.counts() == {("holder", "a", ""): 1, ("holder", "b", ""): 1}


async def test_a_successor_finds_what_its_predecessor_committed_last(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """Catching up ends where the topic ended after the predecessor was fenced."""
    (key,) = some_subjects(other, 1)
    for version in range(1, 6):
        journal, successor = (world.journal, other) if version % 2 else (other, world.journal)
        record = await journal.take_over(0)
        state = holder(key, version=version, wants=(want("x", version),))
        record = await put(journal, record, state)
        after = await successor.take_over(0)
        assert after.commits == record.commits
        assert await successor.load([key]) == {key: state}
        assert await successor.lanes(0) == [("x", version)]


async def test_a_transaction_that_its_dead_owner_left_open_never_counts(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    key, _ = some_subjects(world.journal, 2)
    record = await put(world.journal, await world.journal.take_over(0), holder(key, version=1))
    half = forging.state(world.options, key, epoch=record.epoch, version=2)
    async with unfinished(world.options, world.options.names.transactional_id(0), half):
        await other.take_over(0)
        assert await other.load([key]) == {key: holder(key, version=1)}
    await world.restart()
    assert await world.journal.load([key]) == {key: holder(key, version=1)}


async def test_a_hanging_transaction_is_waited_for_and_named(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """What was committed behind it cannot be read yet, so no owner may go on without it."""
    key, noise = some_subjects(world.journal, 2)
    record = await world.journal.take_over(0)
    name = f"{world.options.names.transactions}hanging"
    open_one = forging.state(world.options, noise, epoch=1, version=1)
    async with unfinished(world.options, name, open_one):
        await put(world.journal, record, holder(key, version=1))
        error = await refusal(other.take_over(0))
        assert error.code == "JRN-001"
        assert "hang" in error.detail
    fence = forging.transactions(world.options, name)
    await fence.start()
    await fence.close()
    await other.take_over(0)
    assert await other.load([key, noise]) == {key: holder(key, version=1)}


async def test_a_removed_subject_comes_back_as_a_new_one(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    (key,) = some_subjects(world.journal, 1)
    record = await put(world.journal, await world.journal.take_over(0), holder(key, version=9))
    record = await written(world.journal, record, states=[StateRow(key=key, state=None)])
    assert await world.journal.load([key]) == {}
    await put(world.journal, record, holder(key, version=1))
    await sees(other, {key: holder(key, version=1)})
    await world.restart()
    assert await world.journal.load([key]) == {key: holder(key, version=1)}


async def test_ids_are_forgotten_after_their_retention_and_not_before(
    world: KafkaWorld,
) -> None:
    """A subject that has nothing but old ids leaves the topic; then the id is new again."""
    (key,) = some_subjects(world.journal, 1)
    await world.journal.append([event(key, at=1000)])
    (entry,) = await world.journal.read(0, 0, 1)
    record = await world.journal.take_over(0)
    record = await written(world.journal, record, position=entry.position)
    await world.journal.tidy(1000 + 7 * DAY)
    await world.journal.append([event(key, at=1000)])
    assert await read_ids(world.journal, 0, entry.position) == []
    await world.journal.tidy(1001 + 7 * DAY)
    await world.restart()
    await world.journal.append([event(key, at=1000)])
    assert await read_ids(world.journal, 0, entry.position) != []


async def test_a_local_file_of_earlier_is_thrown_away(world: KafkaWorld) -> None:
    """Any records, also from another program."""
    (key,) = some_subjects(world.journal, 1)
    await put(world.journal, await world.journal.take_over(0), holder(key, version=1))
    path = world.folder / "odd.db"
    path.write_bytes(b"no database at all")
    path.with_name("odd.db-wal").write_bytes(b"and no log of one")
    for _ in range(2):
        journal = world.another(local=path)
        await journal.open()
        assert await journal.load([key]) == {key: holder(key, version=1)}
        await journal.close()


async def test_reading_goes_on_behind_the_greatest_position_found(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """Also when only a state tells of it: what it consumed must not be consumed again."""
    (key,) = some_subjects(world.journal, 1)
    record = await world.journal.take_over(0)
    told = forging.state(world.options, key, epoch=record.epoch, version=5, source=3)
    await forging.slipped_in(world.options, [told])
    await world.journal.append(numbered(key, 5))
    assert (await other.take_over(0)).position == 3


async def test_events_that_come_to_a_topic_made_anew_are_read(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """The topic of events was lost but not the states, whose position lies far ahead."""
    (key,) = some_subjects(world.journal, 1)
    one, two = numbered(key, 2)
    record = await world.journal.take_over(0)
    await written(
        world.journal, record, position=1000, states=[StateRow(key=key, state=holder(key))]
    )
    record = await other.take_over(0)
    assert record.position == 0
    await other.append([one, two])
    (first, _) = await other.read(0, record.position, 10)
    await written(other, record, position=first.position)
    record = await world.journal.take_over(0)
    assert record.position == first.position
    await until("the other event is read", partial(read_ids, world.journal, 0, record.position))
    assert await read_ids(world.journal, 0, record.position) == [two.id]


async def test_end_offsets_count_what_is_not_committed(world: KafkaWorld) -> None:
    """Otherwise a hanging transaction would make everything behind it seem not to exist."""
    ends = EndOffsets(Clients(world.options), forging.LIMIT)
    place = TopicPartition(world.options.names.states, 2)
    await ends.start()
    before = (await ends.of([place]))[place]
    (key,) = some_subjects(world.journal, 1)
    record = forging.state(world.options, key, epoch=1, version=1)._replace(partition=2)
    name = f"{world.options.names.transactions}open"
    async with unfinished(world.options, name, record):
        assert (await ends.of([place]))[place] == before + 1
    await ends.close()
