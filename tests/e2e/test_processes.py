"""What the kernel says of every process of the service, asked from the outside.

A guard that one process sets for itself says nothing about its parent, so all of them are looked
at, by the process tree: the service, its fork server, and a hand-over that holds a key.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connector.core.reach import SandboxPart
from connector.keys.handover import sandbox
from connector_testkit.demo.pod import Programs
from connector_testkit.demo.processes import COMMAND
from tests.e2e.world import World

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
WITHOUT_CAPABILITIES = (sys.executable, "-I", str(HERE / "without_capabilities.py"))
KINDS = ("service", "fork server", "hand-over")
CHANGES: dict[str, Any] = {
    "testing": {
        "memory_readable": False,
        "crash_at": "handover.fetched",
        "crash_by": "stop",
    }
}


class Unprivileged(World):
    """The service is started without capabilities: root could look into any process."""

    def programs(self) -> Programs:
        return Programs(serve=(*WITHOUT_CAPABILITIES, *COMMAND))


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[dict[str, int]]:
    """Their ids, while a hand-over is stopped with a key in memory."""
    async with Unprivileged(tmp_path / "stage", CHANGES) as world:
        alice = await world.person("alice", mails=False)
        await world.enrol(alice)
        await world.halted()
        yield dict(zip(KINDS, world.family(), strict=True))


async def looked_into(*pids: int) -> dict[str, list[bool]]:
    """Whether another process of the same user can open or trace these."""
    onlooker = await asyncio.create_subprocess_exec(
        *(*WITHOUT_CAPABILITIES, sys.executable, str(HERE / "onlooker.py"), *map(str, pids)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await onlooker.communicate()
    found: dict[str, list[bool]] = json.loads(out)
    return found


async def test_no_process_of_the_service_can_be_looked_into(processes: dict[str, int]) -> None:
    """Neither opened nor traced by the same user; a process that is not hardened can be opened."""
    open_one = await asyncio.create_subprocess_exec(
        *(*WITHOUT_CAPABILITIES, "/bin/cat"), stdin=asyncio.subprocess.PIPE
    )
    found = await looked_into(open_one.pid, *processes.values())
    assert open_one.stdin is not None
    open_one.stdin.close()
    await open_one.wait()
    assert found.pop(str(open_one.pid))[0]
    assert [found[str(pid)] for pid in processes.values()] == [[False, False]] * len(KINDS)


async def test_every_process_of_the_service_is_hardened(processes: dict[str, int]) -> None:
    """No core file and no new privileges in any of them; the one with the key has a filter."""
    filtered = ("0", "0", "2" if SandboxPart.SYSTEM_CALLS in sandbox.available() else "0")
    assert [guards(pid) for pid in processes.values()] == [
        {"privileges": "1", "core": ["0", "0"], "filter": one} for one in filtered
    ]


def guards(pid: int) -> dict[str, object]:
    """What the kernel says of the guards that a process has set for itself."""
    proc = Path(f"/proc/{pid}")
    status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines())
    limits = (proc / "limits").read_text().splitlines()
    (core,) = (line.split()[4:6] for line in limits if line.startswith("Max core file size"))
    return {"privileges": status["NoNewPrivs"], "core": core, "filter": status["Seccomp"]}
