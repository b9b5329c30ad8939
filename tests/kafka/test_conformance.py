"""The Kafka journal keeps the contract, on a real broker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.journal import JournalConformance
from tests.kafka.kafka_world import KafkaWorld, opened


class TestKafka(JournalConformance):
    @pytest.fixture
    async def world(self, topics: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
        async with opened(topics, tmp_path) as world:
            yield world


def test_the_suite_was_collected(request: pytest.FixtureRequest) -> None:
    """A suite whose cases pytest does not see would pass in silence."""
    assert assert_collected(request.node.parent, JournalConformance) >= 50
