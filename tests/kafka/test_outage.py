"""A broker that is gone refuses, within the caller's time; when it is back, so is the journal."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.errors import ConnectorError, Transient
from connector.core.journal import StateRow
from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.topics import wanted
from connector_testkit.conformance.journal_samples import (
    event,
    holder,
    numbered,
    read_ids,
    refusal,
    some_subjects,
    soon,
    written,
)
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.polling import until
from tests.kafka.conftest import run_brokers, single
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.patience import SLOWNESS

LIMIT = timedelta(milliseconds=1500)
ROUND_TRIP = 10.0 * SLOWNESS


@pytest.fixture(scope="module")
def brokers(
    tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]
) -> Iterator[Brokers]:
    """A broker of this file's own, to be killed."""
    yield from run_brokers(Brokers(tmp_path_factory.mktemp("broker")), needs)


@pytest.fixture
async def world(
    brokers: Brokers, prefixes: Iterator[str], tmp_path: Path
) -> AsyncIterator[KafkaWorld]:
    if not brokers.nodes[0].running:
        await brokers.nodes[0].start()
    options = single(brokers, next(prefixes), append_timeout=LIMIT, queue_limit=64)
    async with administration(options) as admin:
        await create(admin, wanted(options))
    async with opened(options, tmp_path) as world:
        yield world


async def test_a_broker_that_dies_refuses_in_time_and_comes_back_by_itself(
    world: KafkaWorld, brokers: Brokers
) -> None:
    journal = world.journal
    (key,) = some_subjects(journal, 1)
    before, meanwhile, after = numbered(key, 3)
    await journal.append([before])
    record = await journal.take_over(0)
    row = StateRow(key=key, state=holder(key, version=1))
    record = await written(journal, record, states=[row])
    await brokers.nodes[0].kill()
    async with asyncio.timeout(LIMIT.total_seconds() * 2 * SLOWNESS):
        assert (await refusal(journal.append([meanwhile]))).code == "JRN-001"
    assert (await refusal(written(journal, record, states=[row]))).code == "JRN-001"
    assert await journal.load([key]) == {key: holder(key, version=1)}
    await brokers.nodes[0].start()

    async def appended() -> bool:
        try:
            return await journal.append([after]) == [True]
        except ConnectorError:
            return False

    await until("events are taken again", appended)
    found = await read_ids(journal, 0)
    assert found[0] == before.id
    assert found[-1] == after.id
    assert len(found) == len(set(found))

    codes: list[str] = []

    async def committed() -> bool:
        try:
            await written(journal, record, states=[row])
        except Transient as error:
            codes.append(error.code)
            return False
        return True

    await until("rounds are written again", committed)
    assert set(codes) <= {"JRN-001"}
    assert not world.lost


async def test_a_broker_that_stands_still_lets_no_more_wait_than_the_limit(
    world: KafkaWorld, brokers: Brokers
) -> None:
    journal = world.journal
    keys = some_subjects(journal, 100)
    await journal.append([event(keys[0])])
    brokers.nodes[0].signal(signal.SIGSTOP)
    try:
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(refusal(journal.append([event(key)]))) for key in keys]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert journal.load_of_appends()[0] == 64
        assert {call.result().code for call in calls} == {"JRN-001"}
        assert journal.load_of_appends() == (0, 0.0)
    finally:
        brokers.nodes[0].signal(signal.SIGCONT)
    await soon(journal.append([event(keys[0], "again")]))


async def test_closing_without_a_broker_does_not_hang(world: KafkaWorld, brokers: Brokers) -> None:
    (key,) = some_subjects(world.journal, 1)
    await world.journal.take_over(0)
    await world.journal.append([event(key)])
    await brokers.nodes[0].kill()
    await refusal(world.journal.append([event(key, "lost")]))
    async with asyncio.timeout(ROUND_TRIP * 2):
        await world.journal.close()
