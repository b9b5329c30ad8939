"""``serve`` as a process of its own: the reason why it does not start, in one line with a code."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from sqlite3 import sqlite_version
from typing import Any

import pytest

from connector_testkit.demo.settings_file import (
    Addresses,
    Secrets,
    changed,
    settings,
    write_settings,
)
from connector_testkit.simulators.tls import issue_tls
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

AWAY = "https://127.0.0.1:9"
"""No server answers there; a service starts without its upstreams."""


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """Settings of a service that can start, with its files."""
    issue_tls(tmp_path / "ca", client="connector")
    issue_tls(tmp_path / "uem")
    (tmp_path / "journal").mkdir()
    at = Addresses(ca=AWAY, ca_control="", uem=AWAY, uem_control="")
    tls = (tmp_path / "ca", tmp_path / "uem")
    return settings(tmp_path, Secrets(tmp_path / "secrets"), at, tls)


async def _started(file: Path, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "connector", "serve", "--config", str(file), *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )


async def _refused(document: dict[str, Any], file: Path) -> tuple[int, str]:
    """Exit code and standard error of a service that does not start."""
    write_settings(file, document)
    async with asyncio.timeout(PATIENCE):
        process = await _started(file)
        _, err = await process.communicate()
    return process.returncode or 0, err.decode()


@asynccontextmanager
async def _running(
    document: dict[str, Any], file: Path, *more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    write_settings(file, document)
    process = await _started(file, *more)
    try:
        async with asyncio.timeout(PATIENCE):
            while process.stdout and b"service.ready" not in await process.stdout.readline():
                continue
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("listener", ["intake", "observe"])
async def test_a_port_in_use(document: dict[str, Any], tmp_path: Path, listener: str) -> None:
    """A port on which another process listens ends the start with SRV-001 and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = {"host": "127.0.0.1", "port": taken.getsockname()[1]}
        wanted = changed(document, {"service": {listener: {"listen": listen}}})
        code, err = await _refused(wanted, tmp_path / "settings.yaml")
    assert (code, err.split()[0]) == (1, "SRV-001")
    assert "address already in use" in err
    assert "Traceback" not in err


async def test_a_second_service(document: dict[str, Any], tmp_path: Path) -> None:
    """Neither journal nor socket of a running service can be taken; each refusal has its code."""
    ports: dict[str, Any] = {
        "intake": {"listen": {"port": 0}},
        "observe": {"listen": {"port": 0}},
    }
    other_socket = {**ports, "admin": {"socket": str(tmp_path / "other" / "admin.sock")}}
    other_journal = {"path": str(tmp_path / "journal" / "other.sqlite")}
    async with _running(document, tmp_path / "first.yaml") as first:
        same_journal = await _refused(changed(document, {"service": other_socket}), tmp_path / "a")
        same_socket = await _refused(
            changed(document, {"service": ports, "journal": other_journal}), tmp_path / "b"
        )
        first.send_signal(signal.SIGINT)
        assert await first.wait() == 0
    assert (same_journal[0], same_journal[1].split()[0]) == (1, "JRN-004")
    assert (same_socket[0], same_socket[1].split()[0]) == (1, "ADM-002")
    assert "Traceback" not in same_journal[1] + same_socket[1]


async def test_another_number_of_partitions(document: dict[str, Any], tmp_path: Path) -> None:
    """A journal that was made with another number of partitions is refused with JRN-005."""
    async with _running(document, tmp_path / "first.yaml") as first:
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
    code, err = await _refused(changed(document, {"journal": {"partitions": 5}}), tmp_path / "b")
    assert (code, err.split()[0]) == (1, "JRN-005")


async def test_the_log_begins_with_what_runs(document: dict[str, Any], tmp_path: Path) -> None:
    """Version, Python and SQLite: they are needed to examine a damaged file."""
    file = tmp_path / "settings.yaml"
    write_settings(file, document)
    process = await _started(file)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = json.loads(await process.stdout.readline())
    finally:
        process.kill()
        await process.communicate()
    assert line["event"] == "service.starting"
    assert line["sqlite"] == sqlite_version
    assert {"version", "python"} <= line.keys()


async def test_another_audit_key(document: dict[str, Any], tmp_path: Path) -> None:
    """A service whose key did not make the trail does not start, and writes nothing."""
    async with _running(document, tmp_path / "first.yaml", "--restored") as first:
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
    key = Path(document["audit"]["key_file"])
    await asyncio.to_thread(key.write_text, "another" * 8)
    code, err = await _refused(document, tmp_path / "second.yaml")
    assert (code, err.split()[0]) == (1, "AUD-004")


async def test_a_snapshot_of_the_volume(document: dict[str, Any], tmp_path: Path) -> None:
    """Started with ``--restored`` it is paused, and says so first."""
    file = tmp_path / "settings.yaml"
    async with _running(document, file, "--restored") as service:
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "connector", "status", "--config", str(file), "-o", "json"),
            stdout=asyncio.subprocess.PIPE,
            env={},
        )
        out, _ = await asked.communicate()
        service.send_signal(signal.SIGTERM)
        assert await service.wait() == 0
    shown = json.loads(out)
    assert shown["conditions"][0]["code"] == "JRN-014"
    assert all(one["brakes"]["all_paused"] for one in shown["partitions"])
