"""A round whose commit is not answered is found to be written or not, never both."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.errors import ConnectorError
from connector.core.journal import StateRow
from connector.core.model import DAY
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import (
    chained,
    event,
    holder,
    next_round,
    read_ids,
    refusal,
    some_subjects,
    written,
)
from connector_testkit.demo.polling import until
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.kafka.proxy import END_TXN, PRODUCE, Proxy, proxied

LIMIT = timedelta(milliseconds=1500)
"""Milliseconds after which an answer counts as missing."""


@pytest.fixture
async def proxy(topics: KafkaSettings) -> AsyncIterator[Proxy]:
    async with proxied(topics.bootstrap_servers[0]) as proxy:
        yield proxy


@pytest.fixture
async def world(topics: KafkaSettings, proxy: Proxy, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    """A journal that reaches the broker through the proxy only."""
    changes = {
        "bootstrap_servers": (proxy.address,),
        "append_timeout": LIMIT,
        "request_timeout": LIMIT,
    }
    async with opened(topics.model_copy(update=changes), tmp_path) as world:
        yield world


async def test_a_written_round_whose_answer_is_lost_counts_as_written(
    world: KafkaWorld, proxy: Proxy
) -> None:
    journal = world.journal
    (key,) = some_subjects(journal, 1)
    (there,) = some_subjects(journal, 1, 1)
    record = await journal.take_over(0)
    proxy.mute = frozenset({END_TXN})
    commit = next_round(
        record,
        states=[StateRow(key=key, state=holder(key, version=1))],
        audit=chained(record, 2, key),
        events=[event(there)],
    )
    await journal.commit(commit)
    assert proxy.swallowed.is_set()
    proxy.mute = frozenset()
    assert await journal.load([key]) == {key: holder(key, version=1)}
    await written(journal, commit.record, audit=chained(commit.record, 1, key))
    assert [one.sequence async for one in journal.audit(0)] == [1, 2, 3]
    assert await read_ids(journal, 1) == [event(there).id]


@pytest.mark.parametrize("request_", [END_TXN, PRODUCE])
async def test_a_round_that_never_came_to_its_end_is_not_written(
    world: KafkaWorld, proxy: Proxy, request_: int
) -> None:
    journal = world.journal
    (key,) = some_subjects(journal, 1)
    record = await journal.take_over(0)
    proxy.deaf = frozenset({request_})
    commit = next_round(
        record,
        states=[StateRow(key=key, state=holder(key, version=1))],
        audit=chained(record, 2, key),
    )
    assert (await refusal(journal.commit(commit))).code == "JRN-001"
    assert proxy.swallowed.is_set()
    proxy.deaf = frozenset()
    assert await journal.load([key]) == {}
    await journal.commit(commit)
    assert await journal.load([key]) == {key: holder(key, version=1)}
    assert [one.sequence async for one in journal.audit(0)] == [1, 2]


async def test_a_cancelled_round_is_not_built_upon(world: KafkaWorld, proxy: Proxy) -> None:
    """It may have been written; an owner that goes on from its memory must take over first."""
    journal = world.journal
    (key,) = some_subjects(journal, 1)
    record = await journal.take_over(0)
    proxy.mute = frozenset({END_TXN})
    commit = next_round(record, states=[StateRow(key=key, state=holder(key, version=1))])
    async with asyncio.TaskGroup() as group:
        call = group.create_task(journal.commit(commit))
        await proxy.swallowed.wait()
        call.cancel()
    proxy.mute = frozenset()
    await journal.tidy(365 * DAY)
    assert (await refusal(journal.commit(commit))).code == "JRN-003"
    again = await journal.take_over(0)
    assert (again.epoch, again.commits) == (record.epoch + 1, commit.record.commits)
    assert await journal.load([key]) == {key: holder(key, version=1)}


async def test_an_append_whose_answer_is_lost_is_refused_and_given_once(
    world: KafkaWorld, proxy: Proxy
) -> None:
    """The sender repeats what was refused; both may be in the topic, and it is read once."""
    journal = world.journal
    (key,) = some_subjects(journal, 1)
    proxy.mute = frozenset({PRODUCE})
    error = await refusal(journal.append([event(key)]))
    assert (error.code, error.retry_after) == ("JRN-001", 2.0)
    proxy.mute = frozenset()

    async def taken() -> bool:
        try:
            return await journal.append([event(key)]) == [True]
        except ConnectorError:
            return False

    await until("the event is taken", taken)
    await journal.append([event(key, "next")])
    assert await read_ids(journal, 0) == [event(key).id, event(key, "next").id]
