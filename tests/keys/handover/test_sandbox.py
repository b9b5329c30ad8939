"""A hand-over process opens what its plug-ins declared, and nothing else."""

import asyncio
import json
import platform
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.core.errors import Permanent
from connector.core.handover import Accepted
from connector.core.reach import SandboxMode, SandboxPart
from connector.keys.handover import sandbox
from connector.keys.handover.parent import HandOver
from connector.keys.handover.system_calls import MACHINES, SECCOMP
from tests.keys.handover.conftest import COMMAND
from tests.keys.handover.scene import Person, Reached

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

OLDER_KERNEL = (sys.executable, "-I", str(Path(__file__).parent / "older_kernel.py"))
LANDLOCK = 444
EVERYTHING = tuple(SandboxPart)
DECLARED = {
    "read the declared file": "done",
    "connect to the declared port": "done",
    "start a thread": "done",
    "signal itself": "done",
}
REFUSED = {
    "read another file": "EACCES",
    "list another folder": "EACCES",
    "make a file": "EACCES",
    "remove a file": "EACCES",
    "connect to another port": "EACCES",
    "connect by fast open": "EPERM",
    "connect to a Unix socket": "EPERM",
    "listen": "EPERM",
    "send datagrams": "EPERM",
    "speak multipath TCP": "EPERM",
    "fork": "EPERM",
    "start a program": "EPERM",
    "trace": "EPERM",
    "read another memory": "EPERM",
    "signal its parent": "EPERM",
    "limit its parent": "EPERM",
    "become dumpable": "EPERM",
    "use keys of the kernel": "EPERM",
    "load a program into the kernel": "EPERM",
    "make name spaces": "EPERM",
    "use io_uring": "EPERM",
    "make a call of the future": "ENOSYS",
}
POSSIBLE_WITHOUT = (
    "read another file",
    "list another folder",
    "make a file",
    "remove a file",
    "connect to another port",
    "connect to a Unix socket",
    "listen",
    "send datagrams",
    "fork",
    "start a program",
    "signal its parent",
    "limit its parent",
    "become dumpable",
)

needs_everything = pytest.mark.skipif(
    sandbox.available() != EVERYTHING, reason="this kernel lacks Landlock 4 or seccomp"
)


@pytest.fixture
def around(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What is there to be reached: of each kind something declared and something else."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secret").write_text("of another route")
    (person.folder / "spare").write_text("may be read")
    with ExitStack() as stack:
        ports = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(elsewhere / "admin.sock"))
        local.listen()
        yield {
            "declared file": str(person.folder / "listing.json"),
            "spare": str(person.folder / "spare"),
            "file": str(elsewhere / "secret"),
            "declared port": ports[0].getsockname()[1],
            "port": ports[1].getsockname()[1],
            "socket": str(elsewhere / "admin.sock"),
        }


async def tries(
    hand_over: HandOver, person: Person, around: dict[str, Any], host: str = "127.0.0.1"
) -> dict[str, str]:
    """How each try ended that a hand-over made whose backend declares this host."""
    act = f"break-out={json.dumps(around)}"
    hosts = [{"name": host, "port": around["declared port"]}]
    async with Reached(person) as reached, asyncio.TaskGroup() as group:
        job = person.job(escrow={"list": act}, hosts=hosts)
        running = group.create_task(hand_over.run(job, 10))
        ended: dict[str, str] = json.loads(await reached.line())
    assert isinstance(running.result(), Accepted)
    return ended


@asynccontextmanager
async def started(**options: Any) -> AsyncIterator[HandOver]:
    hand_over = HandOver(**{"accept_unlocked_memory": True, "command": COMMAND, **options})
    await hand_over.start()
    try:
        yield hand_over
    finally:
        await hand_over.stop()


@needs_everything
async def test_a_hand_over_that_was_taken_over_reaches_only_what_was_declared(
    hand_over: HandOver, person: Person, around: dict[str, Any]
) -> None:
    """No other file, host, socket or process, no program, and nothing deep in the kernel."""
    assert await tries(hand_over, person, around) == DECLARED | REFUSED


async def test_it_is_the_sandbox_that_refuses(person: Person, around: dict[str, Any]) -> None:
    """With the sandbox switched off the same tries succeed, so they are real ones."""
    async with started(sandbox=SandboxMode.OFF) as hand_over:
        ended = await tries(hand_over, person, around)
    assert {name: ended[name] for name in POSSIBLE_WITHOUT} == dict.fromkeys(
        POSSIBLE_WITHOUT, "done"
    )


@needs_everything
async def test_a_host_with_a_name_can_be_looked_up(
    hand_over: HandOver, person: Person, around: dict[str, Any]
) -> None:
    """Only where a declared host has a name may datagrams be sent, to ask for its address."""
    ended = await tries(hand_over, person, around, "ca.example.org")
    assert ended == DECLARED | REFUSED | {"send datagrams": "done"}


@needs_everything
async def test_the_receipt_says_what_was_built(hand_over: HandOver, person: Person) -> None:
    """Every part of the sandbox, where the kernel has them all."""
    outcome = await hand_over.run(person.job(), 10)
    assert isinstance(outcome, Accepted)
    assert outcome.sandbox == EVERYTHING
    async with started(sandbox=SandboxMode.OFF) as without:
        outcome = await without.run(person.job(), 10)
    assert isinstance(outcome, Accepted)
    assert outcome.sandbox == ()


@needs_everything
@pytest.mark.parametrize(
    ("call", "left"),
    [
        (LANDLOCK, (SandboxPart.SYSTEM_CALLS,)),
        ("seccomp", (SandboxPart.FILES, SandboxPart.NETWORK)),
    ],
)
async def test_what_the_kernel_lacks_is_said_or_refused(
    person: Person, call: int | str, left: tuple[SandboxPart, ...]
) -> None:
    """At start and in the receipt; where the sandbox is required, the service does not start."""
    number = SECCOMP[MACHINES[platform.machine()].column] if call == "seccomp" else call
    command = (*OLDER_KERNEL, str(number), *COMMAND)
    async with started(command=command) as hand_over:
        assert hand_over.protection.sandbox == left
        outcome = await hand_over.run(person.job(), 10)
    assert isinstance(outcome, Accepted)
    assert outcome.sandbox == left
    with pytest.raises(Permanent) as refused:
        await HandOver(
            accept_unlocked_memory=True, command=command, sandbox=SandboxMode.REQUIRE
        ).start()
    assert refused.value.code == "HND-010"
