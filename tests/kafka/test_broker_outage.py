"""Brokers that are gone: senders get an answer in time; when they are back, the service goes on."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.broker_node import Broker
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from connector_testkit.demo.settings_file import clustered
from tests.e2e.journal_view import JournalView
from tests.e2e.world import World
from tests.kafka.kafka_world import make_topics
from tests.patience import SLOWNESS

LIMIT = "1s"
"""How long the service may wait for the brokers."""
CALLER = 5.0 * SLOWNESS
"""Seconds within which each post must be answered; real senders wait for 15 and more."""
POSTS, AT_ONCE, SIZE = 3000, 64, 30_000
"""Number of posts, how many at once, and the bytes of each: 90 MB in all."""
GROWTH = 40_000_000
"""Bytes by which the service's memory may grow meanwhile."""
MEANWHILE, AFTER = 1_000_000, 2_000_000
"""Numbers of devices that only the posts know."""
OK, UNAVAILABLE = 200, 503


class Answer(NamedTuple):
    """What a post brought."""

    status: int
    retry_after: str | None


class Single(World):
    """One connector on brokers that run already."""

    def __init__(self, folder: Path, brokers: Brokers, prefix: str, **journal: Any) -> None:
        limits = {"append_timeout": LIMIT, "queue_limit": 16, "partitions": 4}
        super().__init__(folder, {"journal": limits | journal})
        self._brokers, self._prefix = brokers, prefix

    @property
    def journal(self) -> JournalView:
        """The connector's local tables."""
        return JournalView(self.journal_folder / "tables.sqlite")

    async def connectors(self) -> list[Pod]:
        """One, with the clustered journal; its topics are made."""
        journal = clustered(self.written, self._brokers.bootstrap, self._prefix)
        pod = self.pod("the connector", self.written, journal)
        await make_topics(pod)
        return [pod]

    async def post(self, numbers: Sequence[int], size: int = 0) -> list[Answer]:
        """Post an enrolment of each of these devices, many at once."""
        trust = ssl.create_default_context(cafile=self.secrets.tls.ca)
        password = self.secrets.values[self.secrets.hook_password.name]
        headers = {"Authorization": aiohttp.encode_basic_auth("uem-events", password)}
        slots = asyncio.Semaphore(AT_ONCE)
        connections = aiohttp.TCPConnector(limit=AT_ONCE, ssl=trust)
        async with (
            aiohttp.ClientSession(connector=connections, headers=headers) as session,
            asyncio.TaskGroup() as group,
        ):
            posts = [group.create_task(self._post(session, slots, one, size)) for one in numbers]
        return [post.result() for post in posts]

    async def _post(
        self, session: aiohttp.ClientSession, slots: asyncio.Semaphore, number: int, size: int
    ) -> Answer:
        notice = {"EventType": "MDM Enrollment Complete", "DeviceId": number, "Filling": "x" * size}
        url = self.connector.url("workspace-one/acme-uem")
        async with slots, asyncio.timeout(CALLER), session.post(url, json=notice) as answer:
            return Answer(answer.status, answer.headers.get("Retry-After"))

    async def refuses(self, posts: int, size: int = 0) -> None:
        """Each of that number of posts is answered 503 in time, with a time to come again."""
        for answer in await self.post(range(MEANWHILE, MEANWHILE + posts), size):
            assert answer.status == UNAVAILABLE
            assert int(answer.retry_after or 0) > 0

    async def accepts(self, number: int) -> None:
        """Wait until a post is accepted."""

        async def look() -> bool:
            return [one.status for one in await self.post([number])] == [OK]

        await until("a post is accepted", look)

    async def ready_says(self, what: str) -> None:
        """Wait until the probe says this."""
        port = self.connector.settings["service"]["observe"]["listen"]["port"]
        url = f"http://127.0.0.1:{port}/readyz?verbose"

        async def look() -> bool:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return what in await answer.text()

        await until(f"/readyz says {what}", look)

    def memory(self) -> int:
        """Resident bytes of the connector."""
        text = Path(f"/proc/{self.connector.pid}/statm").read_text(encoding="ascii")
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def without(*nodes: Broker) -> AsyncIterator[None]:
    """These brokers are gone, as after a crash, until the end of the block."""
    for node in nodes:
        await node.kill()
    try:
        yield
    finally:
        for node in nodes:
            node.launch()
        for node in nodes:
            await node.served()


async def test_without_a_broker_senders_are_asked_to_come_again(
    tmp_path: Path, broker: Brokers, prefixes: Iterator[str]
) -> None:
    """Each in time, however many and large; then the service goes on without a restart."""
    async with Single(tmp_path / "stage", broker, next(prefixes)) as world:
        pid = world.connector.pid
        await delivered(world, "alice")
        async with without(*broker.nodes):
            await world.refuses(AT_ONCE)
            before = world.memory()
            await world.refuses(POSTS, SIZE)
            assert world.memory() - before < GROWTH
            await world.ready_says("[-] brokers-read")
            await world.ready_says("[-] brokers-written")
        await world.accepts(AFTER)
        await world.ready_says("[+] brokers-written")
        await delivered(world, "bob")
        assert world.connector.running
        assert world.connector.pid == pid


async def test_with_too_few_replicas_nothing_is_accepted(
    tmp_path: Path, three_brokers: Brokers, prefixes: Iterator[str]
) -> None:
    """One of three brokers could answer, but would be the only one to know."""
    copies = {"replication": 3, "min_insync_replicas": 2}
    async with Single(tmp_path / "stage", three_brokers, next(prefixes), **copies) as world:
        await delivered(world, "alice")
        first, second, third = three_brokers.nodes
        pid = world.connector.pid
        async with without(second):
            async with without(third):
                await world.refuses(AT_ONCE)
                await world.ready_says("[-] brokers-written")
            await world.accepts(AFTER)
            await world.ready_says("[+] brokers-written")
            await delivered(world, "bob")
        assert world.connector.running
        assert world.connector.pid == pid
        assert first.running


async def delivered(world: Single, name: str) -> None:
    """A device enrols, and in the end it has the keys and the UEM has none."""
    actor = await world.person(name, mails=False)
    await world.enrol(actor)
    await world.completed(actor)
