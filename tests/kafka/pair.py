"""A stage with two connectors on one broker; the simulators run in this process."""

import re
from pathlib import Path
from typing import Any

import aiohttp

from connector.core.errors import ConnectorError
from connector.core.states import HolderState
from connector.operators.client import AdminClient
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.people import Actor
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from connector_testkit.demo.settings_file import clustered
from tests.e2e.states import Fits
from tests.e2e.world import World
from tests.kafka.kafka_world import make_topics
from tests.patience import PATIENCE, SLOWNESS
from tests.support import asked

PARTITIONS = 6
SESSION = 6.0 * SLOWNESS
"""Seconds after which a silent process loses its partitions; the brokers' minimum."""


class Pair(World):
    """Two connectors, ``first`` and ``second``; only the first is started with the stage."""

    def __init__(
        self, folder: Path, broker: Brokers, prefix: str, changes: dict[str, Any] | None = None
    ) -> None:
        """Use this broker, and topics of this prefix, which are made."""
        super().__init__(folder, {"journal": {"partitions": PARTITIONS}, **(changes or {})})
        self._broker = broker
        self._prefix = prefix

    async def connectors(self) -> list[Pod]:
        """The first is started, the second is only made."""
        bootstrap = self._broker.bootstrap
        self.first, self.second = (
            self.pod(name, folder, clustered(folder, bootstrap, self._prefix))
            for name in ("first", "second")
            for folder in [self.written / name]
        )
        await make_topics(self.first)
        return [self.first]

    async def join(self, pod: Pod) -> None:
        """Start the other one, too, without the first one's crash point."""
        kept = {name: value for name, value in self._changes.items() if name != "testing"}
        pod.configure(kept)
        await self._keep(pod)
        await pod.ready()

    async def owned(self, pod: Pod) -> int:
        """How many partitions a connector says that it owns; -1 when it does not answer."""
        port = pod.settings["service"]["observe"]["listen"]["port"]
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/metrics") as response,
            ):
                text = await response.text()
        except aiohttp.ClientError:
            return -1
        found = re.search(r"^pki_connector_partitions_owned (\d+)", text, re.MULTILINE)
        return int(found[1]) if found else -1

    async def owns(self, pod: Pod, count: int, *, within: float = PATIENCE) -> None:
        """Wait until a connector owns that number of partitions."""

        async def look() -> bool:
            return await self.owned(pod) == count

        await until(f"{pod.name} owns {count}", look, within=within)

    async def shared(self) -> None:
        """Wait until each owns its half."""
        for pod in (self.first, self.second):
            await self.owns(pod, PARTITIONS // 2)

    async def told(self, pod: Pod, actor: Actor) -> HolderState | None:
        """What a connector answers to operators about a holder."""
        async with AdminClient(Path(pod.settings["service"]["admin"]["socket"])) as client:
            try:
                state = (await asked.detail(client, "holder", actor.holder)).state
            except ConnectorError:
                return None
        return state if isinstance(state, HolderState) else None

    async def at(self, pod: Pod, actor: Actor, what: str, fits: Fits) -> HolderState:
        """Wait until a connector tells that a holder's state fits."""

        async def look() -> HolderState | None:
            state = await self.told(pod, actor)
            return state if state is not None and fits(state) else None

        return await until(f"{pod.name}: {actor.name} {what}", look)
