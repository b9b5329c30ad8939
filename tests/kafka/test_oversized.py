"""Topics that take less than they should: what is refused is named, and all else goes on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connector.core.events import DeviceChanged
from connector.core.journal import DeadLetterFilter, StateRow
from connector.core.sizes import TooLarge
from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import (
    chained,
    event,
    holder,
    next_round,
    numbered,
    refusal,
    some_subjects,
    written,
)
from connector_testkit.demo.broker import Brokers
from tests.kafka.conftest import single
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.worker.conftest import Stage, StubbornJournal

TAKEN = 20_000
"""Bytes of the largest batch that the narrowed topics take."""


@pytest.fixture
def narrow(broker: Brokers, prefixes: Iterator[str]) -> KafkaSettings:
    return single(broker, next(prefixes), partitions=2)


@pytest.fixture
async def world(narrow: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    async with administration(narrow) as admin:
        await create(admin, wanted(narrow))
        await admin.alter_configs(
            [
                ConfigResource(
                    ConfigResourceType.TOPIC, name, configs={"max.message.bytes": str(TAKEN)}
                )
                for name in narrow.names.topics
            ]
        )
    async with opened(narrow, tmp_path) as made:
        yield made


@pytest.mark.parametrize("part", ["states", "audit", "events"])
async def test_what_the_brokers_refuse_is_named(world: KafkaWorld, part: str) -> None:
    """Which of many records it was; without it the same round is written."""
    journal = world.journal
    sick, *others = some_subjects(journal, 6)
    record = await journal.take_over(0)
    rows = [StateRow(key=key, state=holder(key)) for key in others]
    parts: dict[str, list[Any]] = {
        "states": rows,
        "audit": chained(record, 3, others[0]),
        "events": [event(key) for key in others],
    }
    error = await refusal(journal.commit(next_round(record, **_with_large(parts, part, sick))))
    assert isinstance(error, TooLarge)
    assert (error.code, error.place.key) == ("JRN-015", sick)
    record = await written(journal, record, **parts)
    assert set(await journal.load(others)) == set(others)
    assert await journal.load([sick]) == {}


def _with_large(parts: dict[str, list[Any]], part: str, sick: str) -> dict[str, list[Any]]:
    text = "x" * 2 * TAKEN
    if part == "states":
        large: Any = StateRow(key=sick, state=holder(sick, name=text))
    elif part == "events":
        large = event(sick).model_copy(update={"cause": text})
    else:
        last = parts["audit"][-1]
        entry = last.entry.model_copy(update={"subject": sick, "details": {"text": text}})
        large = last.model_copy(update={"entry": entry})
        return {**parts, part: [*parts[part][:-1], large]}
    return {**parts, part: [*parts[part], large]}


async def test_many_small_records_are_no_large_one(world: KafkaWorld) -> None:
    """Brokers hold their limit against a batch: what each takes alone is written all the same."""
    journal = world.journal
    keys = some_subjects(journal, 200)
    record = await journal.take_over(0)
    await written(journal, record, states=[StateRow(key=key, state=holder(key)) for key in keys])
    assert set(await journal.load(keys)) == set(keys)


async def test_an_event_that_is_too_large_as_a_letter_is_kept_without_its_bytes(
    world: KafkaWorld, tmp_path: Path
) -> None:
    """Base64 makes a letter larger than its event was; the partition goes on behind it."""
    stage = Stage(tmp_path)
    stage.journal = cast("StubbornJournal", world.journal)
    await world.plant(0, b"\xff" * (TAKEN * 9 // 10))
    (subject,) = some_subjects(world.journal, 1)
    async with stage.running():
        await stage.send(subject, DeviceChanged(what="x"))
        await stage.until(lambda: stage.turning and stage.turning.record.position >= 2)
    (letter,) = await world.journal.dead_letters(DeadLetterFilter())
    assert (letter.code, letter.original) == ("JRN-015", "")
    assert {name for name, _ in letter.headers} == {"cut-code", "cut-bytes", "cut-sha256"}


async def test_appended_events_go_in_when_each_fits(world: KafkaWorld) -> None:
    (subject,) = some_subjects(world.journal, 1)
    assert await world.journal.append(numbered(subject, 200)) == [True] * 200
