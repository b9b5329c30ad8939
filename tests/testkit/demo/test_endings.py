"""However the demo ends, nothing is left of it, and what was wrong is one line."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connector_testkit.demo.polling import until
from connector_testkit.demo.process_tree import alive, family

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "connector")
PROCESSES = 4
"""The demo itself, CA, UEM and the connector; the fork server comes later."""


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder whose path leaves room for that of a Unix socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[int]]]:
    """A demo that has started its processes, and all of them."""
    running = await asyncio.create_subprocess_exec(
        *(*COMMAND, "demo"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(folder)},
    )

    async def started() -> list[int] | None:
        found = family(running.pid)
        return found if len(found) >= PROCESSES else None

    yield running, await until("the demo has started its processes", started)
    if running.returncode is None:
        running.kill()
    await running.wait()


async def gone(pids: list[int]) -> None:
    async def ended() -> bool:
        return not any(alive(pid) for pid in pids)

    await until("no process is left", ended)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_is_asked_to_end_leaves_nothing(
    short: Path, number: signal.Signals
) -> None:
    """No process, no folder; the last line says which signal it was."""
    async with demo(short) as (running, pids):
        running.send_signal(number)
        said, _ = await running.communicate()
        assert running.returncode == 128 + number
        await gone(pids)
    assert number.name.encode() in said.splitlines()[-1]
    assert b"Traceback" not in said
    assert not list(folders(short))


async def test_processes_of_a_killed_demo_end_with_it(short: Path) -> None:
    """The kernel ends them; only the folder of a demo that was killed stays."""
    async with demo(short) as (running, pids):
        running.kill()
        await gone(pids)


def folders(temporary: Path) -> list[Path]:
    return list(temporary.glob("pki-connector-demo-*"))


async def test_a_port_that_is_taken_is_one_line(short: Path) -> None:
    """A simulator that cannot listen says so, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await ended(
            *(*COMMAND, "simulate", "ca", "--directory", str(short), "--port", port)
        )
    assert code == 1
    assert len(said.splitlines()) == 1
    assert port in said


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("unshare") is None, reason="only root can take loopback away"
)
async def test_a_machine_without_loopback_is_one_line(short: Path) -> None:
    """What is wrong is said in a line, with the end of the log, and without a traceback."""
    code, said = await ended("unshare", "--net", *COMMAND, "demo", TMPDIR=str(short))
    assert code == 1
    assert "Traceback" not in said
    assert "✘ FAILED" in said
    assert not folders(short)


async def ended(*command: str, **environment: str) -> tuple[int | None, str]:
    """Exit code of a command, and all that it said."""
    running = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    said, _ = await running.communicate()
    return running.returncode, said.decode()
