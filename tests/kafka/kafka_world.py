"""A Kafka journal on the session's broker, as the tests use it."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connector.core.errors import Permanent
from connector.journal.kafka.clients import Clients, end_producer
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.topics import wanted
from connector.journal.kafka.transactions import Sent, acknowledged, send
from connector.journal.settings import KafkaSettings
from connector.settings.load import load
from connector.settings.plugins import installed
from connector_testkit.demo.pod import Pod
from tests.patience import PATIENCE


class KafkaWorld:
    """An open journal; ``lost`` collects the calls of ``on_lost``."""

    knows_ids = False

    def __init__(self, options: KafkaSettings, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.lost: list[Permanent] = []
        self.journal = self.another()

    def another(self, local: Path | None = None) -> KafkaJournal:
        """One more process's journal on the same topics, not open."""
        instance = secrets.token_hex(4)
        return KafkaJournal(
            self.options,
            local=local or self.folder / f"local-{instance}.db",
            instance=instance,
            monotonic=time.monotonic,
            on_lost=self.lost.append,
            read_patience=PATIENCE,
        )

    async def restart(self) -> None:
        await self.journal.close()
        self.journal = self.another()
        await self.journal.open()

    async def plant(self, partition: int, original: bytes) -> None:
        producer = Clients(self.options).producer()
        await producer.start()
        try:
            await producer.send_and_wait(self.options.names.events, original, partition=partition)
        finally:
            await producer.stop()


async def make_topics(pod: Pod) -> None:
    """Make the topics of a connector's settings, as ``kafka init`` would in another process."""
    journal = load(pod.settings_file, {}, installed()).journal
    assert isinstance(journal, KafkaSettings)
    async with administration(journal) as admin:
        await create(admin, wanted(journal))


@asynccontextmanager
async def opened(options: KafkaSettings, folder: Path) -> AsyncIterator[KafkaWorld]:
    """A world whose journal is open, closed at the end in any case."""
    world = KafkaWorld(options, folder)
    await world.journal.open()
    try:
        yield world
    finally:
        await world.journal.close()


@asynccontextmanager
async def unfinished(
    options: KafkaSettings, transactional_id: str, record: Outgoing
) -> AsyncIterator[None]:
    """A transaction that is neither committed nor aborted, as of a process that was killed."""
    producer = Clients(options).producer(transactional_id)
    await producer.start()
    try:
        await producer.begin_transaction()
        sent: Sent = []
        await send(producer, [record], sent)
        await acknowledged(sent)
        yield
    finally:
        await end_producer(producer)
