"""The loop on the clustered journal: a pause comes first, and one subject holds up no other."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.topics import wanted
from connector_testkit.demo.broker import Brokers
from tests.kafka.conftest import single
from tests.kafka.kafka_world import opened
from tests.worker.bystanders import BystanderCases
from tests.worker.conftest import Stage, StubbornJournal
from tests.worker.pauses import PauseCases


@pytest.fixture
async def stage(broker: Brokers, prefixes: Iterator[str], tmp_path: Path) -> AsyncIterator[Stage]:
    """A worker on a journal of one partition in a real cluster."""
    options = single(broker, next(prefixes), partitions=1)
    async with administration(options) as admin:
        await create(admin, wanted(options))
    async with opened(options, tmp_path) as world:
        made = Stage(tmp_path)
        made.journal = cast("StubbornJournal", world.journal)
        yield made


class TestPauseFirst(PauseCases):
    pass


class TestBystanders(BystanderCases):
    pass
