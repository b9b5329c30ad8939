"""The demo's containers, run as processes with what the chart gives them."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connector_testkit.demo.ports import free_port
from tests.chart.rendering import DEMO, Document, containers, only, settings_text, template
from tests.patience import PATIENCE

pytestmark = [pytest.mark.chart, pytest.mark.slow]
PROGRAM = Path(sys.executable).with_name("pki-connector")
FOLDERS = ("/run/secrets", "/var/lib/pki-connector", "/run/pki-connector")
CA, UEM, INTAKE, OBSERVE = "41012", "41002", "8443", "9464"
PORTS = ("41011", CA, "41001", UEM, INTAKE, OBSERVE)


class Pod:
    """The demo's pod: its containers with other folders and ports, and nothing else changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {port: str(free_port()) for port in PORTS}
        objects = template(DEMO)
        self.containers = {one["name"]: one for one in containers(only(objects, "StatefulSet"))}
        settings = self.local(settings_text(objects))
        listeners = f"""
service:
  intake:
    listen: {{port: {self._ports[INTAKE]}}}
    tls:
      certificate_file: {folder}/run/secrets/tls/tls.crt
      key_file: {folder}/run/secrets/tls/tls.key
  observe: {{listen: {{port: {self._ports[OBSERVE]}}}}}
  admin: {{socket: {folder}/run/pki-connector/operators.sock}}
"""
        settings = re.sub(r"^service:\n(  .*\n)+", "", settings, flags=re.MULTILINE) + listeners
        settings = settings.replace(
            "type: sqlite", f"path: {folder}/var/lib/pki-connector/j.sqlite"
        )
        (folder / "settings.yaml").write_text(settings, "utf-8")
        for name in FOLDERS:
            (folder / name.removeprefix("/")).mkdir(parents=True, mode=0o700)

    def local(self, text: str) -> str:
        for name in FOLDERS:
            text = text.replace(name, f"{self._folder}{name}")
        for port, free in self._ports.items():
            text = text.replace(f":{port}", f":{free}").replace(f"port={port}", f"port={free}")
        return text

    async def start(self, container: Document) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            PROGRAM,
            *map(self.local, container["args"]),
            env={"PKI_CONNECTOR_CONFIG": str(self._folder / "settings.yaml")},
            stdout=asyncio.subprocess.PIPE,
        )

    @asynccontextmanager
    async def running(self, name: str, ready: str) -> AsyncIterator[None]:
        """A container from the line in which it says that it is ready, to its end by SIGTERM."""
        process = await self.start(self.containers[name])
        try:
            assert process.stdout is not None
            while ready not in (line := (await process.stdout.readline()).decode()):
                assert line, f"{name} ended"
            yield
        finally:
            process.terminate()
            await process.communicate()
        assert process.returncode == 0

    async def post(self, port: str, path: str, **body: Any) -> None:
        url = f"http://127.0.0.1:{self._ports[port]}/_sim/{path}"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            assert answer.status < 300, await answer.text()

    async def installed(self) -> int:
        """The device that has the keys first."""
        url = f"http://127.0.0.1:{self._ports[UEM]}/_sim/ledger?kind=installed&wait=30"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            (entry,) = json.loads(await answer.text())["entries"]
        device: int = entry["device"]
        return device


async def test_a_phone_enrols_at_the_simulators_of_the_demo(tmp_path: Path) -> None:
    """Secrets, addresses, webhooks and settings of the chart fit together."""
    pod = Pod(tmp_path)
    async with asyncio.timeout(3 * PATIENCE), AsyncExitStack() as stack:
        secrets = await pod.start(pod.containers["demo-secrets"])
        assert await secrets.wait() == 0
        await stack.enter_async_context(pod.running("demo-ca", '"ready"'))
        await stack.enter_async_context(pod.running("demo-uem", '"ready"'))
        await stack.enter_async_context(pod.running("connector", "service.ready"))
        await pod.post(CA, "persons", person="alice", name="Alice", addresses=["alice@example.com"])
        await pod.post(CA, "issue", person="alice", usage="encryption")
        await pod.post(UEM, "users", username="alice", email="alice@example.com")
        await pod.post(UEM, "devices", user=12, platform="Apple")
        assert await pod.installed() == 15
