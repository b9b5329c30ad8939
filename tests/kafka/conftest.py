"""Real brokers, one for the whole run; topics of their own for each test that asks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.kafka_program import BrokerUnavailable
from tests.kafka.guarded import GuardedBrokers, guard
from tests.kafka.kafka_world import KafkaWorld, opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests in this folder need brokers; ``tests/one_worker.py`` keeps it together."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short, for every name of a test: the path of a Unix socket has room for 107 bytes."""
    return tmp_path_factory.mktemp("t")


def run_brokers(brokers: Brokers, needs: Callable[[str], str]) -> Iterator[Brokers]:
    """Start brokers, and end them afterwards; skip where there cannot be any."""
    needs("java")
    needs("mvn")
    try:
        asyncio.run(brokers.__aenter__())
    except BrokerUnavailable as error:
        pytest.skip(str(error))
    try:
        yield brokers
    finally:
        asyncio.run(brokers.__aexit__())


@pytest.fixture(scope="session")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]
) -> Iterator[GuardedBrokers]:
    """One broker with all listeners and an authorizer; connections without TLS may do all."""
    folder = tmp_path_factory.mktemp("broker")
    keys = guard(folder / "keys")
    brokers = Brokers(folder / "nodes", guard=keys.guard)
    for _ in run_brokers(brokers, needs):
        yield GuardedBrokers(brokers, keys)


@pytest.fixture(scope="session")
def broker(guarded: GuardedBrokers) -> Brokers:
    """The session's broker, for tests that do not care about logins."""
    return guarded.brokers


@pytest.fixture(scope="module")  # idle ones cost a tenth of a core
def three_brokers(
    tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], str]
) -> Iterator[Brokers]:
    """Three brokers, started when the first test of a file asks for them."""
    yield from run_brokers(Brokers(tmp_path_factory.mktemp("brokers"), 3), needs)


@pytest.fixture(scope="session")
def prefixes() -> Iterator[str]:
    """Names that were never used before in this run."""
    return (f"t{number}" for number in count(1))


@pytest.fixture
def options(broker: Brokers, prefixes: Iterator[str]) -> KafkaSettings:
    """Options for the session's broker with a prefix of their own; no topic is there yet."""
    return single(broker, next(prefixes))


def single(broker: Brokers, prefix: str, **changes: Any) -> KafkaSettings:
    """Options for one broker: few partitions, one copy that is flushed at once, quick members."""
    settings: dict[str, Any] = {
        "type": "kafka",
        "bootstrap_servers": tuple(broker.bootstrap.split(",")),
        "prefix": prefix,
        "partitions": 4,
        "replication": 1,
        "min_insync_replicas": 1,
        "session_timeout": "6s",
        "rebalance_timeout": "6s",
    }
    return KafkaSettings.model_validate(settings | changes)


@pytest.fixture
async def topics(options: KafkaSettings) -> KafkaSettings:
    """The same options, with their four topics made."""
    async with administration(options) as admin:
        await create(admin, wanted(options))
    return options


@pytest.fixture
async def admin(broker: Brokers) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that may do everything."""
    client = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def world(topics: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    """A journal on topics of its own."""
    async with opened(topics, tmp_path) as world:
        yield world


@pytest.fixture
async def other(world: KafkaWorld) -> AsyncIterator[KafkaJournal]:
    """Another process's journal on the same topics, no member yet."""
    journal = world.another()
    await journal.open()
    yield journal
    await journal.close()
