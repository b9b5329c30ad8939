"""``serve`` whose standard output is a full pipe that nothing reads."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connector_testkit.demo.polling import until
from connector_testkit.demo.settings_file import Addresses, Secrets, settings, write_settings
from connector_testkit.simulators.tls import issue_tls
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow


def _full_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, bytes(4096))
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    return reading, writing


def _settings(folder: Path) -> dict[str, Any]:
    tls = (folder / "ca", folder / "uem")
    issue_tls(tls[0], client="connector")
    issue_tls(tls[1])
    (folder / "journal").mkdir()
    away = "https://127.0.0.1:9"
    at = Addresses(ca=away, ca_control="", uem=away, uem_control="")
    return settings(folder, Secrets(folder / "secrets"), at, tls)


@asynccontextmanager
async def _serving(
    document: dict[str, Any], file: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, aiohttp.ClientSession]]:
    write_settings(file, document)
    reading, writing = _full_pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "connector", "serve", "--config", str(file)),
        stdout=writing,
        env={},
    )
    os.close(writing)
    try:
        async with aiohttp.ClientSession() as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(reading)


async def test_it_answers_and_ends_all_the_same(tmp_path: Path) -> None:
    """Probes and webhooks are answered, and SIGTERM ends it with exit code 0."""
    document = _settings(tmp_path)
    port = {name: document["service"][name]["listen"]["port"] for name in ("intake", "observe")}
    async with _serving(document, tmp_path / "settings.yaml") as (process, client):

        async def ready() -> bool:
            try:
                async with client.get(f"http://127.0.0.1:{port['observe']}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until("it is ready", ready)
        hook = f"https://127.0.0.1:{port['intake']}/hooks/workspace-one/main"
        for _ in range(3):  # each leads to a line
            async with client.post(hook, json={}, ssl=False) as answer:
                assert answer.status in {401, 404}
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
