"""The stage of the demo: simulated CA and UEM and the connector, each a process of its own."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from connector_testkit.demo.pod import OURS, Pod, Programs
from connector_testkit.demo.process_tree import family
from connector_testkit.demo.processes import Process
from connector_testkit.demo.settings_file import RETENTION, Addresses, Secrets, settings
from connector_testkit.simulators.ca.commands import Webhook
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.uem.control import UemControl

INSTALL_DELAY = "1500ms"
"""The simulated devices take this long; evidence counts only a second after the upload."""


class Stage:
    """Everything that runs, in one folder; used as ``async with Stage(folder) as stage:``.

    ``written`` is where the service writes; ``aside`` is what the simulators and the demo itself
    keep, which is allowed to hold secrets. ``tls`` are the folders of CA and UEM. A subclass may
    start other :meth:`upstreams`, other :meth:`connectors`, and these by other :meth:`programs`.
    """

    opening = "Starting a CA, a UEM and the connector, each a process of its own"
    """What is about to be started, in words."""
    whose = "the connector's"
    """Whose :meth:`processes` they are, in words."""

    def __init__(self, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
        """Use ``folder``; ``changes`` are laid over the settings. Nothing is started yet."""
        self.folder = folder
        self.written = folder / "connector"
        self.aside = folder / "aside"
        self.tls = (self.aside / "ca", self.aside / "uem")
        self._changes = changes or {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start CA, UEM and connectors, and point their webhooks at each other."""
        self.aside.mkdir(parents=True)
        self.secrets = Secrets(self.aside / "secrets")
        try:
            self._at = await self.upstreams()
            self.ca = await self._stack.enter_async_context(CaControl(self._at.ca_control))
            self.uem = await self._stack.enter_async_context(UemControl(self._at.uem_control))
            self.pods = await self.connectors()
            await self._start_pods()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything that was started, in the opposite order."""
        await self._stack.aclose()

    @property
    def connector(self) -> Pod:
        """The connector, or the first of several."""
        return self.pods[0]

    async def upstreams(self) -> Addresses:
        """Start CA and UEM."""
        ca = await self._start("ca", "simulate", "ca", "--directory", str(self.tls[0]))
        uem = await self._start(
            "uem",
            "simulate",
            "uem",
            *("--directory", str(self.tls[1])),
            *("--password-file", str(self.secrets.api_password)),
            *("--tenant-code-file", str(self.secrets.tenant_code)),
            *("--retention", RETENTION),
            *("--install-delay", INSTALL_DELAY),
        )
        ca_ready = await ca.line(lambda line: line.get("ready") == "ca")
        uem_ready = await uem.line(lambda line: line.get("ready") == "uem")
        return Addresses(
            ca=ca_ready["api"],
            ca_control=ca_ready["control"],
            uem=uem_ready["api"],
            uem_control=uem_ready["control"],
        )

    async def connectors(self) -> list[Pod]:
        """The connectors that will be started: one, with the embedded journal."""
        return [self.pod("the connector", self.written)]

    def pod(self, name: str, folder: Path, journal: Mapping[str, Any] | None = None) -> Pod:
        """A connector with the stage's settings; ``journal`` None: the embedded one."""
        document = settings(folder, self.secrets, self._at, self.tls, journal)
        pod = Pod(name, folder, document, self.programs())
        pod.configure(self._changes)
        return pod

    def programs(self) -> Programs:
        """What connectors are started and asked with."""
        return OURS

    async def _start_pods(self) -> None:
        for pod in self.pods:
            await self._keep(pod)
        for pod in self.pods:
            await pod.ready()
        await self.aim_uem(self.pods[0])
        await self.aim_ca(self.pods[-1])

    async def aim_uem(self, pod: Pod) -> None:
        """Let the UEM post its webhooks to this connector."""
        await self.uem.aim_webhook(
            url=pod.url("workspace_one/acme-uem"),
            user="uem-events",
            password_file=str(self.secrets.hook_password),
            ca_file=str(self.secrets.tls.ca),
            retries=200,
            retry_pause=0.5,
        )

    async def aim_ca(self, pod: Pod) -> None:
        """Let the CA post its webhooks to this connector."""
        await self.ca.set_webhook(
            Webhook(
                url=pod.url("ca/acme-ca"),
                secret_file=self.secrets.ca_hook,
                ca_file=self.secrets.tls.ca,
            )
        )

    def busy(self) -> Pod:
        """The connector with the most processes: it has one more for each hand-over."""
        return max(self.pods, key=lambda pod: len(family(pod.pid)))

    async def recover(self, pod: Pod) -> str:
        """Do what lets the service go on after this connector was killed; what that was."""
        await pod.start()
        await pod.ready()
        return f"{pod.name} is running again"

    async def rejoin(self, pod: Pod) -> None:
        """Start a connector again beside others; the UEM posts to it from then on."""
        await pod.start()
        await pod.ready()
        await self.aim_uem(pod)

    def processes(self) -> list[int]:
        """The ids of all processes that must hold no secret in memory."""
        return [pod.pid for pod in self.pods]

    def places(self) -> dict[str, Path]:
        """The folders that must hold no secret, by what is in them."""
        return {"file, log and answer of the connector": self.written}

    async def planted(self) -> list[bytes]:
        """Pieces of private keys, bundles and passwords, as CA and UEM saw them pass."""
        at_ca, at_uem = await self.ca.markers(), await self.uem.markers()
        found = [bytes.fromhex(value) for value in at_ca.binary]
        found += [value.encode() for value in at_ca.text]
        for marker in at_uem:
            value = str(marker["value"])
            text = marker["encoding"] == "text"
            found.append(value.encode() if text else bytes.fromhex(value))
        return found

    async def _start(self, name: str, *arguments: str) -> Process:
        return await self._keep(Process(name, arguments, self.aside / f"{name}.log"))

    async def _keep(self, process: Process) -> Process:
        """Start a process that ends with the stage."""
        self._stack.push_async_callback(process.stop)
        await process.start()
        return process
