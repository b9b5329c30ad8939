"""The stage of a chaos run: three brokers, three processes of the service, CA and UEM."""

from pathlib import Path
from random import Random
from typing import Any

from connector.journal.kafka.names import Names
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.people import Actor, employ
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.processes import Process
from connector_testkit.demo.settings_file import changed, clustered
from connector_testkit.demo.stage import Stage
from connector_testkit.simulators.ca.commands import Webhook
from tests.e2e.world import UPLOAD
from tests.kafka.chaos.gateway import Gateway
from tests.kafka.chaos.topics import Topics
from tests.patience import scaled

PODS = 3
PARALLEL = 8
"""Posts of the UEM under way at once, in no order."""
RETRIES, RETRY_PAUSE = 20, 1.5
"""How the UEM repeats a post without a 2xx; longer than all pods are away at once."""
CHANGES: dict[str, Any] = {
    "service": {"drain": "5s"},
    "worker": {"disclosure_ceiling": 1_000_000},
    "uems": {"acme-uem": {"rate": 200, "parallel": 24}},
    "cas": {"acme-ca": {"rate": 200, "parallel": 24}},
    "routes": {
        "staff": {
            "hand_over_limit": scaled(4000),
            "expired_rounds": 1000,
            "retry": {"first": "200ms", "cap": "2s"},
            "look_every": {"first": "500ms", "cap": "2s"},
            "request_look_every": {"first": "500ms", "cap": "2s"},
            "automatic_per_day": 100_000,
        }
    },
}
"""Laid over the demo's settings: waits that end within a test, looks that two cores can bear."""
COPIES = {"replication": 3, "min_insync_replicas": 2}
SHORTEST, HOLDERS_A_SECOND = 8, 8
"""The UEM keeps a set for these seconds, or one for this number of holders: with many a profile
is pushed late, and would find no set any more, again and again."""
GENERATIONS = (((30.0, 730.0),), ((700.0, 365.0), (30.0, 730.0)))
"""Encryption certificates of holders, one half and the other: one of them has an expired one."""


SWITCHES: dict[str, tuple[str, ...]] = {
    "ca": ("--set", "key_algorithm=ec-p256"),
    "uem": ("--set", "ledger_limit=10000000"),
}
"""Short keys, because there are many of them; a ledger that holds a long run."""


class ChaosWorld(Stage):
    """Three connectors behind a gateway, on brokers that run already.

    ``actors`` are all holders, ``posted`` how many events the UEM has sent. ``journal`` is what the
    brokers say; it is read only when that is asked for.
    """

    def __init__(
        self, folder: Path, brokers: Brokers, prefix: str, seed: int, holders: int
    ) -> None:
        """Use these brokers, and topics of this prefix, which are made. Nothing is started yet."""
        self._holders = holders
        self._retention = max(SHORTEST, holders // HOLDERS_A_SECOND)
        kept = {"routes": {"staff": {"retention": f"{self._retention}s"}}}
        super().__init__(folder, changed(CHANGES, kept))
        self.brokers = brokers
        self.names = Names(prefix)
        self.actors: list[Actor] = []
        self.posted = 0
        self._dice = Random(f"{seed} gateway")

    async def connectors(self) -> list[Pod]:
        """Three, on three brokers each of which has everything."""
        pods = []
        for number in range(1, PODS + 1):
            folder = self.written / f"pod-{number}"
            journal = clustered(folder, self.brokers.bootstrap, self.names.prefix)
            pods.append(self.pod(folder.name, folder, journal | COPIES))
        await pods[0].ask("kafka", "init")
        partitions = pods[0].settings["journal"]["partitions"]
        self.journal = Topics(self.brokers.bootstrap, self.names, partitions)
        return pods

    async def _start(self, name: str, *arguments: str) -> Process:
        return await super()._start(name, *arguments, *SWITCHES[name])

    async def _start_pods(self) -> None:
        for pod in self.pods:
            await self._keep(pod)
        for pod in self.pods:
            await pod.ready()
        ports = [pod.settings["service"]["intake"]["listen"]["port"] for pod in self.pods]
        gateway = await self._stack.enter_async_context(Gateway(ports, self._dice))
        address = f"https://127.0.0.1:{gateway.port}/hooks"
        await self.uem.aim_webhook(
            url=f"{address}/workspace-one/acme-uem",
            user="uem-events",
            password_file=str(self.secrets.hook_password),
            ca_file=str(self.secrets.tls.ca),
            parallel=PARALLEL,
            retries=RETRIES,
            retry_pause=RETRY_PAUSE,
        )
        await self.ca.set_webhook(
            Webhook(
                url=f"{address}/ca/acme-ca",
                secret_file=self.secrets.ca_hook,
                ca_file=self.secrets.tls.ca,
            )
        )

    async def employ(self) -> None:
        """All people with certificates and a user, none with a device yet."""
        await self.uem.switch(retention=self._retention)
        for number in range(self._holders):
            generations = GENERATIONS[number % len(GENERATIONS)]
            self.actors.append(await employ(self, f"person-{number}", generations))

    async def enrol(self, actor: Actor) -> None:
        """One more device of the holder."""
        actor.devices.append(await self.uem.enrol(actor.user))
        self.posted += 1

    async def leave(self, actor: Actor) -> None:
        """The holder's oldest device leaves."""
        await self.uem.unenrol(actor.devices.pop(0))
        self.posted += 1

    async def renew(self, actor: Actor) -> None:
        """The holder's encryption certificate is renewed."""
        await self.ca.renew(actor.name)

    async def no_answer(self, _: Actor) -> None:
        """The UEM takes the next set and never says so."""
        await self.uem.fault("apply_reset", path=UPLOAD)
