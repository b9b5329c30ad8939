"""The stage of the demo: simulated CA and UEM and the connector, each a process of its own."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from connector.demo.processes import Process, run_command
from connector.demo.settings_file import RETENTION, Secrets, write_settings
from connector.simulators.ca.commands import Webhook
from connector.simulators.ca.control import CaControl
from connector.simulators.uem.control import UemControl

INSTALL_DELAY = "1500ms"
"""The simulated devices take this long; evidence counts only a second after the upload."""


class Stage:
    """Everything that runs, in one folder; used as ``async with Stage(folder) as stage:``.

    ``written`` is where the service writes; ``aside`` is what the simulators and the demo itself
    keep, which is allowed to hold secrets.
    """

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; nothing is started yet."""
        self.folder = folder
        self.written = folder / "connector"
        self.aside = folder / "aside"
        self._stack = AsyncExitStack()
        self._settings = self.written / "settings.yaml"

    async def __aenter__(self) -> Self:
        """Start CA, UEM and connector, and point their webhooks at each other."""
        self.written.mkdir(parents=True)
        self.aside.mkdir()
        self.secrets = Secrets(self.aside / "secrets")
        try:
            await self._start_upstreams()
            await self._start_connector()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything that was started, in the opposite order."""
        await self._stack.aclose()

    async def _start_upstreams(self) -> None:
        ca_folder, uem_folder = self.aside / "ca", self.aside / "uem"
        ca = await self._start("ca", "simulate", "ca", "--directory", str(ca_folder))
        uem = await self._start(
            "uem",
            "simulate",
            "uem",
            *("--directory", str(uem_folder)),
            *("--password-file", str(self.secrets.api_password)),
            *("--tenant-code-file", str(self.secrets.tenant_code)),
            *("--retention", RETENTION),
            *("--install-delay", INSTALL_DELAY),
        )
        ca_ready = await ca.line(lambda line: line.get("ready") == "ca")
        uem_ready = await uem.line(lambda line: line.get("ready") == "uem")
        self.ca = await self._stack.enter_async_context(CaControl(ca_ready["control"]))
        self.uem = await self._stack.enter_async_context(UemControl(uem_ready["control"]))
        self._settings = write_settings(
            self.written,
            self.secrets,
            ca=ca_ready["api"],
            uem=uem_ready["api"],
            ca_tls=ca_folder,
            uem_tls=uem_folder,
        )

    async def _start_connector(self) -> None:
        self.connector = await self._start("serve", "serve", "--config", str(self._settings))
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

    async def _start(self, name: str, *arguments: str) -> Process:
        folder = self.written if name == "serve" else self.aside
        process = Process(name, arguments, folder / f"{name}.log")
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

    async def tell(self, *arguments: str) -> tuple[int, str]:
        """A command of ours against the running service; exit code and what it printed."""
        return await run_command(
            *arguments, "--config", str(self._settings), log=self.written / "commands.log"
        )
