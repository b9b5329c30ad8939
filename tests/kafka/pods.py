"""The stage of tests with several connectors: each a process, the simulators in this one."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import aiohttp

from connector.core.model import partition_of
from connector.core.states import State
from connector.operators.client import AdminClient
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.people import Actor
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from connector_testkit.demo.process_tree import stopped
from connector_testkit.demo.settings_file import changed, clustered
from tests.e2e.journal_view import JournalView
from tests.e2e.records import Facts, the_newest_came_last, uploads
from tests.e2e.world import ONE, World
from tests.kafka.kafka_world import make_topics
from tests.patience import PATIENCE
from tests.support import asked

PARTITIONS = 4
QUICK: dict[str, Any] = {
    "journal": {"partitions": PARTITIONS},
    "service": {"drain": "5s", "log_level": "debug"},
}
"""Laid over the settings of the end-to-end tests."""


class Pods(World):
    """Several connectors on a broker that runs already.

    The UEM posts to the first, the CA to the last. ``changes`` are laid over all settings,
    ``first`` over those of the first pod alone. Only ``started`` of them are started.
    """

    def __init__(
        self,
        folder: Path,
        brokers: Brokers,
        prefix: str,
        changes: Mapping[str, Any] | None = None,
        first: Mapping[str, Any] | None = None,
        started: int = 2,
    ) -> None:
        super().__init__(folder, changed(QUICK, changes or {}))
        self._brokers = brokers
        self._prefix = prefix
        self._first = first or {}
        self._started = started

    @property
    def journal(self) -> JournalView:
        """The local tables of the last pod that was started at first: each has all states."""
        return self.tables(self.pods[self._started - 1])

    @staticmethod
    def tables(pod: Pod) -> JournalView:
        """The local tables of a pod."""
        return JournalView(pod.folder / "journal" / "tables.sqlite")

    async def connectors(self) -> list[Pod]:
        """Two, with the clustered journal; its topics are made."""
        pods = []
        for name in ("pod-1", "pod-2"):
            folder = self.written / name
            journal = clustered(folder, self._brokers.bootstrap, self._prefix)
            pods.append(self.pod(name, folder, journal))
        pods[0].configure(changed(self._changes, self._first))
        await make_topics(pods[0])
        return pods

    async def join(self, *pods: Pod) -> None:
        """Start pods, beside others that may run."""
        for pod in pods:
            await self._keep(pod)
        for pod in pods:
            await pod.ready()

    async def _start_pods(self) -> None:
        started = self.pods[: self._started]
        await self.join(*started)
        await self.shared(*started)
        await self.aim_uem(started[0])
        await self.aim_ca(started[-1])

    async def person_in(
        self,
        partitions: frozenset[int],
        name: str,
        generations: tuple[tuple[float, float], ...] = ONE,
    ) -> Actor:
        """A person whose holder lies in one of these partitions; no mail."""
        assert partitions, "no holder lies in no partition"
        taken = {actor.user for actor in self.actors}
        user = next(
            number
            for number in count(1000)
            if partition_of(f"acme-uem/user/{number}", PARTITIONS) in partitions
            and number not in taken
        )
        return await self.person(name, generations, mails=False, id=user)

    async def enrol_in(self, partition: int, actor: Actor) -> int:
        """Enrol a device of the person that lies in this partition."""
        taken = {device["id"] for device in await self.uem.devices()}
        free = (number for number in count(1) if number not in taken)
        fitting = (
            number
            for number in free
            if partition_of(f"acme-uem/device/{number}", PARTITIONS) == partition
        )
        return await self.enrol(actor, id=next(fitting))

    async def owned(self, pod: Pod) -> frozenset[int]:
        """The partitions that a pod says it works on; none before it listens."""
        port = pod.settings["service"]["observe"]["listen"]["port"]
        url = f"http://127.0.0.1:{port}/readyz?verbose"
        text = ""
        with suppress(aiohttp.ClientConnectorError):
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                text = await answer.text()
        return frozenset(map(int, re.findall(r"\[\+\] partition-(\d+)", text)))

    async def shared(self, *pods: Pod, within: float = PATIENCE) -> None:
        """Wait until each partition is worked on by one of these pods, and each pod works."""

        async def look() -> bool:
            parts = [await self.owned(pod) for pod in pods]
            return all(parts) and sorted(p for part in parts for p in part) == [*range(PARTITIONS)]

        names = " and ".join(pod.name for pod in pods)
        await until(f"{names} own all partitions", look, within=within)

    async def all_halted(self, count: int) -> list[int]:
        """Wait until as many processes of the first pod have stopped at its crash point; which."""

        async def look() -> list[int]:
            found = [pid for pid in self.family() if stopped(pid)]
            return found if len(found) == count else []

        return await until(f"{count} processes stop", look)

    def told(self, action: str) -> list[Facts]:
        """The log lines of all pods about audit records of an action."""
        found = []
        for pod in self.pods:
            lines = (pod.folder / "serve.log").read_text(encoding="utf-8").splitlines()
            said = [json.loads(line) for line in lines if f'"{action}"' in line]
            found += [line for line in said if line.get("action") == action]
        return found

    def looked_up(self, device: int) -> list[Facts]:
        """How often a device was looked up at the UEM, each as a log line."""
        key = f"acme-uem/device/{device}"
        return [line for line in self.told("device.looked_up") if line["device"] == key]

    async def known_alike(self, actor: Actor) -> None:
        """Wait until every pod says the same of a holder."""

        async def look() -> bool:
            said = [await _detail(pod, actor.holder) for pod in self.pods]
            return all(one == said[0] for one in said)

        await until(f"all say the same of {actor.name}", look)

    async def newest_last(self, actor: Actor) -> None:
        """The UEM's last set of a user is the newest, and it never got an older one after a newer.

        A certificate more makes a set newer.
        """
        await the_newest_came_last(self, actor)
        sets = [
            {pair["fingerprint"] for pair in taken["slots"]} for taken in await uploads(self, actor)
        ]
        assert all(before <= after for before, after in pairwise(sets))

    async def uploaded(self, actor: Actor, fingerprint: str | None = None) -> None:
        """Wait for an upload for the user, with this certificate if one is named."""

        def fits(entry: Facts) -> bool:
            sent = {pair["fingerprint"] for pair in entry["slots"]}
            return entry["user"] == actor.user and (fingerprint is None or fingerprint in sent)

        await self.uem.wait_for("upload", fits, within=PATIENCE)


async def _detail(pod: Pod, holder: str) -> State:
    """What the command line would get about a holder."""
    async with AdminClient(Path(pod.settings["service"]["admin"]["socket"])) as client:
        return (await asked.detail(client, "holder", holder)).state
