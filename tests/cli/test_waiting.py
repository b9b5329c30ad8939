"""``--wait`` and ``--until``: a command ends when its act has been applied, or led to an end."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connector.core.journal import DeadLetterFilter
from connector.core.states import Brakes, Phase
from connector.worker import brakes
from tests.cli.calls import Asked
from tests.operators.test_dead_letters import readable
from tests.operators.world import PAIR, holder
from tests.patience import SLOWNESS
from tests.support.clocks import NOW

KEY = "corp/user/12"
NAMED = ("--person", PAIR.person, "--agreeing", PAIR.agreeing)
ACTS = [
    ("deliver", KEY),
    ("deliver", KEY, "--drop-generation", "bbbbbbbb", "--reason", "lost"),
    ("retry", KEY),
    ("retry", "--code", "CA-410"),
    ("identity", "forget", KEY, "--reason", "asked", *NAMED),
]


@asynccontextmanager
async def meanwhile(ask: Asked, work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Do something again and again beside the command, as the workers would."""

    async def again() -> None:
        while True:
            await work()
            await ask.world.journal.wait(0, 0.01)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(again())
        yield
        task.cancel()


@pytest.mark.parametrize("arguments", ACTS)
async def test_an_act_that_was_not_applied_in_time(ask: Asked, arguments: tuple[str, ...]) -> None:
    """Exit code 9: it stands in the journal, and no owner has read it."""
    await ask.world.put(holder(phase=Phase.FAILED))
    result = await ask(*arguments, "--wait", "--timeout", "0", "-o", "json")
    told = json.loads(result.out)
    assert (result.code, told["waiting"], told["complete"]) == (9, [KEY], True)


@pytest.mark.parametrize("arguments", ACTS)
async def test_an_act_that_is_applied(ask: Asked, arguments: tuple[str, ...]) -> None:
    """The last of its events has been read."""
    await ask.world.put(holder(phase=Phase.FAILED))
    async with meanwhile(ask, ask.world.read_all):
        result = await ask(*arguments, "--wait")
    assert result.code == 0
    assert "applied" in result.out
    assert "not applied" not in result.out


@pytest.mark.parametrize(
    ("until", "phase", "code"),
    [
        ("ended", Phase.COMPLETED, 0),
        ("ended", Phase.FAILED, 8),
        ("ended", Phase.AWAITING_PURGE, 9),
        ("installed", Phase.AWAITING_PURGE, 0),
        ("installed", Phase.CANCELLED, 8),
        ("installed", Phase.AWAITING_INSTALL, 9),
        ("applied", Phase.AWAITING_INSTALL, 0),
    ],
)
async def test_what_an_act_leads_to(ask: Asked, until: str, phase: Phase, code: int) -> None:
    """A delivery that fails is a problem (8), one that takes longer is waited for in vain (9)."""
    await ask.world.put(holder(phase=Phase.PLANNING))

    async def work() -> None:
        await ask.world.put(holder(phase=phase))
        await ask.world.read_all()

    async with meanwhile(ask, work):
        limit = str(2.0 * SLOWNESS)
        result = await ask("deliver", KEY, "--until", until, "--timeout", limit, "-o", "json")
    phases = {} if until == "applied" else {KEY: phase.value}
    assert (result.code, json.loads(result.out)["phases"]) == (code, phases)


async def test_a_pause_that_every_partition_obeys(ask: Asked) -> None:
    """The brakes of all partitions count; until then the command says how many there are."""
    late = await ask("pause", "--reason", "incident", "--wait", "--timeout", "0")
    assert (late.code, late.out) == (9, "pause: applied by 0 of 2 partitions\n")
    held = brakes.pause(Brakes(), None, NOW, reason="incident")
    async with meanwhile(ask, lambda: ask.world.brake(held)):
        done = await ask("pause", "--reason", "incident", "--wait", "--quiet")
    assert (done.code, done.out.splitlines()[-1]) == (
        0,
        "pause: applied by 2 of the journal's partitions",
    )
    assert (await ask("resume", "--wait", "--timeout", "0")).code == 9
    async with meanwhile(ask, lambda: ask.world.brake(Brakes())):
        assert (await ask("resume", "--wait", "--timeout", "5")).code == 0


SETTLING = [
    ("dlq", "drop", "0/3", "--reason", "foreign"),
    ("dlq", "drop", "--all", "--reason", "foreign"),
    ("dlq", "replay", "0/3"),
    ("dlq", "replay", "--all", "--rate", "500"),
]


@pytest.mark.parametrize("arguments", SETTLING)
async def test_dead_letters_that_were_not_settled_in_time(
    ask: Asked, arguments: tuple[str, ...]
) -> None:
    """Exit code 9: they are still among the dead letters."""
    await ask.world.bury(0, 3, readable())
    result = await ask(*arguments, "--wait", "--timeout", "0", "-o", "json")
    assert (result.code, json.loads(result.out)["waiting"]) == (9, ["0/3"])
    assert "not applied yet" in (await ask(*arguments, "--wait", "--timeout", "0")).out


@pytest.mark.parametrize("arguments", SETTLING)
async def test_dead_letters_that_are_settled(ask: Asked, arguments: tuple[str, ...]) -> None:
    """Their owners have removed them, and applied what was re-queued."""
    await ask.world.bury(0, 3, readable())
    async with meanwhile(ask, ask.world.settle):
        result = await ask(*arguments, "--wait", "-o", "json")
    assert (result.code, json.loads(result.out)["waiting"]) == (0, [])
    assert not await ask.world.journal.dead_letters(DeadLetterFilter())


async def test_a_letter_is_waited_for_until_its_event_is_applied(ask: Asked) -> None:
    """Also when the letter itself is gone already."""
    await ask.world.bury(0, 3, readable())

    async def work() -> None:
        if await ask.world.events():
            await ask.world.remove_letters(3)

    limit = str(1.0 * SLOWNESS)
    async with meanwhile(ask, work):
        result = await ask("dlq", "replay", "0/3", "--wait", "--timeout", limit, "-o", "json")
    assert not await ask.world.journal.dead_letters(DeadLetterFilter())
    assert (result.code, json.loads(result.out)["waiting"]) == (9, ["0/3"])


async def exported(ask: Asked, folder: Path) -> tuple[str, ...]:
    """An audit log with an export, and the command that cuts it by the export."""
    await ask.world.put(*(holder(number) for number in range(10, 30)))
    trail = folder / "trail.ndjson"
    trail.write_text((await ask("audit", "export", "-o", "json")).out)
    return ("audit", "cut", "--file", str(trail), "--reason", "kept", "--wait")


async def test_a_cut_that_was_not_made_in_time(ask: Asked, tmp_path: Path) -> None:
    """Exit code 9, and the partitions whose records are still there."""
    cut = await exported(ask, tmp_path)
    late = await ask(*cut, "--timeout", "0", "-o", "json")
    assert (late.code, json.loads(late.out)["waiting"]) == (9, [0, 1])
    assert (await ask(*cut, "--timeout", "0")).out.count("not applied yet") == 2


async def test_a_cut_that_every_owner_makes(ask: Asked, tmp_path: Path) -> None:
    """It is waited for all of them."""
    cut = await exported(ask, tmp_path)
    async with meanwhile(ask, ask.world.settle):
        done = await ask(*cut, "-o", "json")
    assert (done.code, json.loads(done.out)["waiting"]) == (0, [])


async def test_an_accepted_clock_is_waited_for(ask: Asked) -> None:
    """It is applied when every partition has read the command, and not before."""
    accept = ("clock", "accept", "--reason", "checked", "--wait")
    late = await ask(*accept, "--timeout", "0")
    assert (late.code, late.out) == (9, "accept_clock: applied by 0 of 2 partitions\n")
    async with meanwhile(ask, ask.world.read_all):
        done = await ask(*accept)
    assert (done.code, done.out) == (0, "accept_clock: applied by 2 of the journal's partitions\n")
