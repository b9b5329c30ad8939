"""Deaths: by the kernel's timer, with the service, with the forkserver; stopped or not."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connector.core.handover import Accepted, HandoverJob, NotSent, Unknown
from connector.keys.handover.parent import HandOver
from tests.keys.handover.conftest import COMMAND
from tests.keys.handover.scene import Person, Reached
from tests.patience import PATIENCE, SLOWNESS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
SERVICE = Path(__file__).parent / "service.py"


async def gone(pid: int, within: float = PATIENCE) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(within):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@asynccontextmanager
async def service(
    job: HandoverJob, inherits: tuple[int, ...] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A service in a process of its own, which was given one job."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, str(SERVICE), *COMMAND, stdin=PIPE, stdout=PIPE, pass_fds=inherits
    )
    assert running.stdin is not None
    running.stdin.write(job.model_dump_json().encode() + b"\n")
    try:
        yield running
    finally:
        running.stdin.close()
        if running.returncode is None:
            running.send_signal(signal.SIGCONT)
        await running.wait()


async def test_the_kernel_alone_ends_it(person: Person) -> None:
    """Continued after its limit, with no process there to kill it, it executes nothing any more.

    Would it go on only a little, the scripted target would accept the set.
    """
    job = person.job(target={"after": "stop"}, limit=1.0)
    async with Reached(person) as reached, service(job) as running:
        _, pid = await reached.next()
        stopped = (running.pid, parent_of(pid))
        for one in stopped:
            os.kill(one, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            await gone(pid, within=1.1)
        os.kill(pid, signal.SIGCONT)
        await gone(pid)
        for one in stopped:
            os.kill(one, signal.SIGCONT)
        assert running.stdout is not None
        outcome = Unknown.model_validate_json(await running.stdout.readline())
    assert outcome.fault.code == "HND-001"


@pytest.mark.parametrize("moment", ["list", "after"])
async def test_stopped_process_dies_at_its_limit(
    hand_over: HandOver, person: Person, moment: str
) -> None:
    """A process that was stopped does not outlive its limit."""
    job = person.job(escrow={moment: "stop"}, target={moment: "stop"})
    async with Reached(person) as reached, asyncio.TaskGroup() as group:
        running = group.create_task(hand_over.run(job, SLOWNESS))
        _, pid = await reached.next()
        await gone(pid)
    outcome = running.result()
    assert isinstance(outcome, Unknown if moment == "after" else NotSent)
    assert outcome.fault.code == "HND-001"


@pytest.mark.parametrize("act", ["stop", "stall-heard"])
async def test_process_dies_with_the_service(person: Person, act: str) -> None:
    """When the service is killed with -9, the kernel ends its hand-overs, stopped or not."""
    job = person.job(escrow={"fetch": act})
    async with Reached(person) as reached, service(job) as running:
        _, pid = await reached.next()
        running.kill()
        await running.wait()
        await gone(pid)


async def test_process_needs_no_forkserver_to_die(person: Person) -> None:
    """The end of the service reaches the hand-over itself, even while the forkserver is stopped."""
    job = person.job(escrow={"fetch": "stall-heard"})
    async with Reached(person) as reached, service(job) as running:
        _, pid = await reached.next()
        forkserver = parent_of(pid)
        os.kill(forkserver, signal.SIGSTOP)
        running.kill()
        await gone(pid)
        os.kill(forkserver, signal.SIGCONT)
        await gone(forkserver)


async def test_nothing_outlives_the_service_though_all_were_stopped(person: Person) -> None:
    """Service, forkserver and hand-over are stopped, then the service is killed: all are gone."""
    job = person.job(escrow={"fetch": "stop"})
    async with Reached(person) as reached, service(job) as running:
        _, pid = await reached.next()
        forkserver = parent_of(pid)
        for one in (running.pid, forkserver):
            os.kill(one, signal.SIGSTOP)
        running.kill()
        await gone(pid)
        await gone(forkserver)


async def test_forkserver_says_nothing_when_the_service_is_gone() -> None:
    """A service that ends while its forkserver starts leaves no traceback in the log."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    with theirs:
        starting = await asyncio.create_subprocess_exec(
            *(*COMMAND, str(theirs.fileno()), str(os.getpid()), "closed"),
            stderr=PIPE,
            pass_fds=(theirs.fileno(),),
        )
    _, said = await starting.communicate()
    assert (starting.returncode, said) == (0, b"")


async def test_forkserver_keeps_nothing_that_the_service_inherited(person: Person) -> None:
    """A descriptor that is passed on to the service does not reach the processes behind it."""
    with (person.folder / "passed on").open("w") as file:
        async with (
            Reached(person) as reached,
            service(person.job(escrow={"fetch": "stop"}), (file.fileno(),)) as running,
        ):
            _, pid = await reached.next()
            open_in = {one: opened(one) for one in (running.pid, parent_of(pid), pid)}
            running.kill()
    assert [file.name in paths for paths in open_in.values()] == [True, False, False]


def opened(pid: int) -> set[str]:
    """What the descriptors of a process lead to."""
    return {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}


async def test_forkserver_that_died_is_replaced(person: Person) -> None:
    """When the forkserver dies its hand-overs die with it; the next one gets a new forkserver."""
    hand_over = HandOver(accept_unlocked_memory=True, command=COMMAND)
    await hand_over.start()
    async with Reached(person) as reached, asyncio.TaskGroup() as group:
        running = group.create_task(hand_over.run(person.job(target={"after": "stop"}), 10))
        _, pid = await reached.next()
        os.kill(parent_of(pid), signal.SIGKILL)
        await gone(pid)
    assert isinstance(running.result(), Unknown)
    assert isinstance(await hand_over.run(person.job(), 10), Accepted)
    await hand_over.stop()


async def test_stopping_the_service_ends_what_runs(person: Person) -> None:
    """Stopping ends forkserver and processes; a hand-over afterwards starts them again."""
    hand_over = HandOver(accept_unlocked_memory=True, command=COMMAND)
    await hand_over.start()
    async with Reached(person) as reached, asyncio.TaskGroup() as group:
        running = group.create_task(hand_over.run(person.job(escrow={"list": "stop"}), 10))
        _, pid = await reached.next()
        await hand_over.stop()
        await gone(pid)
    assert isinstance(running.result(), NotSent)
    await hand_over.stop()


async def test_forkserver_that_does_not_start_has_a_code(person: Person) -> None:
    """A forkserver that ends at once is reported as *not started*; nothing was sent."""
    hand_over = HandOver(accept_unlocked_memory=True, command=("/bin/false",))
    outcome = await hand_over.run(person.job(), 10)
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code == "HND-005"


@pytest.mark.parametrize(
    ("point", "kind", "disclosed"),
    [
        ("handover.started", NotSent, 0),
        ("handover.listed", NotSent, 0),
        ("handover.fetched", NotSent, 1),
        ("handover.checked", NotSent, 1),
        ("handover.packaged", NotSent, 1),
        ("handover.sending", Unknown, 2),
        ("handover.sent", Unknown, 2),
    ],
)
async def test_crash_points_stop_it_where_they_say(
    hand_over: HandOver, person: Person, point: str, kind: type[NotSent | Unknown], disclosed: int
) -> None:
    """Killed at each numbered point, the outcome says what may have happened until there."""
    outcome = await hand_over.run(person.job(crash_at=point), 10)
    assert isinstance(outcome, kind)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-002", disclosed)
