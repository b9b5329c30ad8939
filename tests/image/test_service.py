"""The service in a container as a pod has it: first process, limited, without rights."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector_testkit.demo.polling import until
from tests.e2e.records import agree
from tests.e2e.states import is_handing_over
from tests.e2e.world import UPLOAD, route
from tests.image.engine import Engine
from tests.image.world import Contained
from tests.patience import SLOWNESS, scaled

MEMORY = "256m"
HOLDERS = 50
KILLED = ("memory.oom_control", "memory.events")
GRACE = 25.0
"""Seconds that a pod has from SIGTERM to its end: the drain of the settings, and 15 more."""
SWAPS = "Filename\tType\tSize\tUsed\tPriority\n/dev/vda2\tpartition\t1048572\t0\t-2\n"

pytestmark = pytest.mark.slow


@pytest.fixture
async def world(engine: Engine, tmp_path: Path) -> AsyncIterator[Contained]:
    limits = {"--memory": MEMORY, "--memory-swap": MEMORY}
    changes = {"handover": {"parallel": 8}} | route(hand_over_limit=scaled(8000))
    async with Contained(tmp_path / "stage", engine, limits, changes) as world:
        yield world


def killed(group: Path) -> int:
    """How many processes of a control group were ended because it had no memory left."""
    text = next((group / name).read_text() for name in KILLED if (group / name).exists())
    return int(dict(line.split() for line in text.splitlines())["oom_kill"])


async def no_zombies(world: Contained) -> None:
    async def none() -> bool:
        return not world.zombies()

    await until("no zombie is left", none)


async def test_fifty_hand_overs_fit_and_leave_no_zombie(world: Contained) -> None:
    """All at once in limited memory: nothing is killed, and everything that ends is reaped."""
    for number in range(HOLDERS):
        await world.person(f"p{number}", mails=number == 0)
    async with asyncio.TaskGroup() as group:
        for actor in world.actors:
            group.create_task(world.enrol(actor))
    for actor in world.actors:
        await world.completed(actor)
    await world.reads_all(world.actors[0])
    assert len(await world.uem.ledger("upload")) >= HOLDERS
    await no_zombies(world)
    assert killed(world.group("memory")) == 0


async def test_a_killed_fork_server_leaves_no_zombie(world: Contained) -> None:
    """Its hand-overs end with it and fall to the first process; then everything goes on."""
    alice = await world.person("alice")
    await world.uem.fault("silent", path=UPLOAD)
    await world.enrol(alice)
    await world.sees(alice, "hands over", is_handing_over)
    _, fork_server, *hand_overs = world.family()
    assert hand_overs
    os.kill(fork_server, signal.SIGKILL)
    await no_zombies(world)
    await world.uem.clear_faults()
    await world.reads_all(alice)
    await agree(world)


async def test_asked_to_end_it_ends_in_time(world: Contained) -> None:
    """SIGTERM reaches the first process, which ends what it began and exits with 0."""
    alice = await world.person("alice")
    await world.uem.fault("slow", path=UPLOAD, seconds=1.0)
    await world.enrol(alice)
    await world.sees(alice, "hands over", is_handing_over)
    async with asyncio.timeout(GRACE * SLOWNESS):
        assert await world.connector.stop() == 0
    state = world.journal.holder(alice.holder)
    assert state is not None
    assert state.running is None


@pytest.fixture
def swapping(tmp_path: Path) -> dict[str, str]:
    """Options of podman: a node that has swap, and lets no process lock its memory."""
    swaps = tmp_path / "swaps"
    swaps.write_text(SWAPS)
    return {"--volume": f"{swaps}:/proc/swaps:ro", "--ulimit": "memlock=65536:65536"}


async def test_keys_are_refused_memory_that_may_be_swapped(
    engine: Engine, tmp_path: Path, swapping: dict[str, str]
) -> None:
    """The service does not start there, and says why."""
    world = Contained(tmp_path / "stage", engine, swapping)
    with pytest.raises(RuntimeError, match="ended without"):
        await world.__aenter__()
    assert "HND-004" in (world.written / "serve.log").read_text()


async def test_memory_that_may_be_swapped_can_be_accepted(
    engine: Engine, tmp_path: Path, swapping: dict[str, str]
) -> None:
    """By a setting, which a person has to write."""
    changes = {"handover": {"accept_unlocked_memory": True}}
    async with Contained(tmp_path / "stage", engine, swapping, changes) as world:
        assert await world.connector.ask("status")
