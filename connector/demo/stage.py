"""The stage of the demo: simulated CA and UEM and the connector, each a process of its own."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from connector.demo.processes import Process, run_command
from connector.demo.settings_file import (
    RETENTION,
    Addresses,
    Secrets,
    changed,
    settings,
    write_settings,
)
from connector.simulators.ca.commands import Webhook
from connector.simulators.ca.control import CaControl
from connector.simulators.uem.control import UemControl

INSTALL_DELAY = "1500ms"
"""The simulated devices take this long; evidence counts only a second after the upload."""


class Stage:
    """Everything that runs, in one folder; used as ``async with Stage(folder) as stage:``.

    ``written`` is where the service writes; ``aside`` is what the simulators and the demo itself
    keep, which is allowed to hold secrets. ``tls`` are the folders of CA and UEM. A subclass may
    start other :meth:`upstreams`, and the service :meth:`through` another command.
    """

    def __init__(self, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
        """Use ``folder``; ``changes`` are laid over the settings. Nothing is started yet."""
        self.folder = folder
        self.written = folder / "connector"
        self.aside = folder / "aside"
        self.tls = (self.aside / "ca", self.aside / "uem")
        self.settings_file = self.written / "settings.yaml"
        self._changes = changes or {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start CA, UEM and connector, and point their webhooks at each other."""
        (self.written / "journal").mkdir(parents=True)
        self.aside.mkdir()
        self.secrets = Secrets(self.aside / "secrets")
        try:
            at = await self.upstreams()
            self.ca = await self._stack.enter_async_context(CaControl(at.ca_control))
            self.uem = await self._stack.enter_async_context(UemControl(at.uem_control))
            self.settings = settings(self.written, self.secrets, at, self.tls)
            self.configure(self._changes)
            await self._start_connector()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything that was started, in the opposite order."""
        await self._stack.aclose()

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

    def through(self) -> tuple[str, ...]:
        """The command that the service is started through; nothing here."""
        return ()

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Write the settings with ``changes`` laid over them; they hold from the next start."""
        write_settings(self.settings_file, changed(self.settings, changes))

    async def _start_connector(self) -> None:
        self.connector = await self._start("serve", "serve", "--config", str(self.settings_file))
        port = (await self.ready())["intake_port"]
        ca_file = str(self.secrets.tls.ca)
        await self.uem.aim_webhook(
            url=f"https://127.0.0.1:{port}/hooks/workspace-one/acme-uem",
            user="uem-events",
            password_file=str(self.secrets.hook_password),
            ca_file=ca_file,
            retries=20,
            retry_pause=0.5,
        )
        await self.ca.set_webhook(
            Webhook(
                url=f"https://127.0.0.1:{port}/hooks/ca/acme-ca",
                secret_file=self.secrets.ca_hook,
                ca_file=self.secrets.tls.ca,
            )
        )

    async def ready(self) -> dict[str, Any]:
        """Wait until the connector says that it serves; what it said."""
        return dict(await self.connector.line(lambda line: line.get("event") == "service.ready"))

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
        served = name == "serve"
        folder = self.written if served else self.aside
        through = self.through() if served else ()
        process = Process(name, arguments, folder / f"{name}.log", through)
        self._stack.push_async_callback(process.stop)
        await process.start()
        return process

    async def ask(self, *arguments: str) -> Any:
        """A command of ours against the running service; its JSON answer.

        Raises:
            RuntimeError: when it ends with another exit code than 0.
        """
        code, out = await self.tell(*arguments, "--output", "json")
        if code:
            raise RuntimeError(f"{arguments[0]} ended with exit code {code}")
        return json.loads(out)

    async def tell(self, *arguments: str, columns: int | None = None) -> tuple[int, str]:
        """A command of ours against the running service; exit code and what it printed."""
        return await run_command(
            *(*arguments, "--config", str(self.settings_file)),
            log=self.written / "commands.log",
            columns=columns,
        )
