"""Three pods under load are restarted one after the other, as a rolling update does it."""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Self

import aiohttp
import pytest

from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from connector_testkit.demo.settings_file import clustered
from tests.e2e.leaks import leaks
from tests.e2e.records import uploads
from tests.e2e.world import route
from tests.kafka.kafka_world import make_topics
from tests.kafka.pair import SESSION
from tests.kafka.pods import PARTITIONS, Pods
from tests.patience import SLOWNESS, scaled

PRE_STOP = 100
"""Webhooks that others take between the end of new ones to a pod and SIGTERM to it, for which the
chart waits 8 s, so that slow routers have room."""
SENDERS = 4
PAUSE = 0.02
LOOK_EVERY = 0.1
"""Seconds."""
LONGEST_ANSWER = 8.0
"""Seconds: the default of `append_timeout`, after which a webhook would be answered 503."""
LONGEST_WITHOUT_OWNER = SESSION - SLOWNESS
"""Seconds: a pod that leaves says so, so no partition waits as long as after a kill."""


class Three(Pods):
    """Three connectors on a broker that runs already."""

    async def connectors(self) -> list[Pod]:
        """Make all, and their topics."""
        pods = []
        for name in ("pod-1", "pod-2", "pod-3"):
            folder = self.written / name
            journal = clustered(folder, self._brokers.bootstrap, self._prefix)
            pods.append(self.pod(name, folder, journal))
        await make_topics(pods[0])
        return pods


class Service:
    """What stands before the pods: sends to those that are ready and are not being ended.

    ``answers`` are status, seconds and pod of each webhook, ``unowned`` the longest time in seconds
    for which no pod said that it works on a partition.
    """

    def __init__(self, world: Three) -> None:
        self._world = world
        password = Path(world.secrets.hook_password).read_text(encoding="utf-8").strip()
        self._login = aiohttp.encode_basic_auth("uem-events", password)
        self._ready: list[Pod] = []
        self._seen = dict.fromkeys(range(PARTITIONS), time.monotonic())
        self._numbers = count(1)
        self._over = asyncio.Event()
        self.leaving: set[str] = set()
        self.answers: list[tuple[int | None, float, str]] = []
        self.unowned = 0.0

    async def __aenter__(self) -> Self:
        """Look and send until the end."""
        self._stack = AsyncExitStack()
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession())
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._stack.callback(self._over.set)
        for pod in self._world.pods:
            group.create_task(self._look(pod))
        for sender in range(SENDERS):
            group.create_task(self._send(sender))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _goes_on(self, seconds: float) -> bool:
        """Whether it has not ended within that time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return not self._over.is_set()

    async def _look(self, pod: Pod) -> None:
        """What the kubelet and the endpoints know of a pod."""
        port = pod.settings["service"]["observe"]["listen"]["port"]
        url = f"http://127.0.0.1:{port}/readyz?verbose"
        while await self._goes_on(LOOK_EVERY):
            status, text = 0, ""
            with suppress(aiohttp.ClientError):
                async with self._session.get(url) as answer:
                    status, text = answer.status, await answer.text()
            ready = status == HTTPStatus.OK and pod.name not in self.leaving
            others = [one for one in self._ready if one is not pod]
            self._ready = [*others, pod] if ready else others
            now = time.monotonic()
            for one in map(int, re.findall(r"\[\+\] partition-(\d+)", text)):
                self.unowned = max(self.unowned, now - self._seen[one])
                self._seen[one] = now

    def take_out(self, pod: Pod) -> None:
        """Send nothing more to a pod that is about to end."""
        self.leaving.add(pod.name)
        self._ready = [one for one in self._ready if one is not pod]

    async def took(self, more: int) -> None:
        """Wait until that number of further webhooks was answered."""
        wanted = len(self.answers) + more

        async def look() -> bool:
            return len(self.answers) >= wanted

        await until(f"{more} webhooks are answered", look)

    async def _send(self, sender: int) -> None:
        secrets = self._world.secrets
        trust = ssl.create_default_context(cafile=str(secrets.tls.ca))
        while await self._goes_on(PAUSE):
            if not self._ready:
                continue
            number = next(self._numbers)
            pod = self._ready[number % len(self._ready)]
            began, status = time.monotonic(), None
            with suppress(aiohttp.ClientError):
                async with self._session.post(
                    pod.url("workspace_one/acme-uem"),
                    json=notification(10_000 + sender),
                    headers={"Authorization": self._login},
                    ssl=trust,
                ) as answer:
                    status = answer.status
            self.answers.append((status, time.monotonic() - began, pod.name))


def notification(device: int) -> dict[str, str | int]:
    """A change of a device that the UEM does not know: it is stored, looked up and left."""
    return {
        "EventId": 178,
        "EventType": "Compromised Status Changed",
        "DeviceId": device,
        "EventTime": datetime.now(UTC).isoformat(),
    }


@pytest.fixture
async def three(tmp_path: Path, broker: Brokers, prefixes: Iterator[str]) -> AsyncIterator[Three]:
    changes = route(hand_over_limit=scaled(20_000))
    async with Three(tmp_path / "stage", broker, next(prefixes), changes, started=3) as world:
        yield world
        assert await leaks(world) == {}


async def test_a_rolling_restart_is_not_noticed_by_senders(three: Three) -> None:
    """Each webhook gets 2xx in time, each partition an owner, each user one delivery."""
    people = [await three.person(f"p{number}") for number in range(len(three.pods))]
    async with Service(three) as service:
        for number, (pod, actor) in enumerate(zip(three.pods, people, strict=True)):
            await three.aim_uem(three.pods[number - 1])
            await three.enrol(actor)
            service.take_out(pod)
            await service.took(PRE_STOP)
            assert await pod.stop() == 0
            await pod.start()
            await pod.ready()
            service.leaving.discard(pod.name)
            await three.shared(*three.pods)
        await three.all_read()
    assert [one for one in service.answers if one[0] != HTTPStatus.OK] == []
    assert {name for _, _, name in service.answers} == {pod.name for pod in three.pods}
    slowest = max(seconds for _, seconds, _ in service.answers)
    assert slowest < LONGEST_ANSWER
    assert service.unowned < LONGEST_WITHOUT_OWNER
    assert [len(await uploads(three, actor)) for actor in people] == [1] * len(people)
