"""A start at which clock and journal are far apart: in doubt until the UEM agrees."""

from collections.abc import Callable

import pytest

from connector.core.errors import Family, Fault
from connector.core.events import ClockAccepted
from connector.core.model import DAY, HOUR, SECOND, Millis, SubjectKind, subject_key
from connector.core.states import CopyState, Phase
from tests.worker.conftest import Stage

YEAR = 365 * DAY
WEEK = 7 * DAY


def truly(stage: Stage) -> Callable[[], Millis]:
    """The UEM's clock is right, and goes on with the time that really passes."""
    start, wall = stage.clock.seconds, stage.clock.wall
    now = stage.world.now = lambda: wall + int((stage.clock.seconds - start) * SECOND)
    return now


async def awaiting_purge(stage: Stage) -> None:
    """A copy is watched when the service stops."""
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.AWAITING_PURGE)


async def state_of_copy(stage: Stage, user: str = "7") -> CopyState:
    holder = await stage.holder(user)
    assert holder is not None
    return holder.copy_.state


async def test_a_second_with_a_clock_a_year_ahead_does_not_poison_the_journal(stage: Stage) -> None:
    truly(stage)
    await awaiting_purge(stage)
    stage.clock.wall += YEAR
    async with stage.running():
        await stage.enrol("8")
        await stage.turns(10, step=20)
    stage.clock.wall -= YEAR
    async with stage.running():
        await stage.until_phase(Phase.COMPLETED)
        await stage.until_phase(Phase.COMPLETED, user="8")
    assert await state_of_copy(stage) is CopyState.GONE


async def test_a_clock_a_year_ahead_after_a_long_stop_concludes_and_begins_nothing(
    stage: Stage,
) -> None:
    """The UEM agrees neither with the clock nor with the journal, whose time stood still."""
    truly(stage)
    await awaiting_purge(stage)
    stage.clock.advance(WEEK)
    stage.clock.wall += YEAR
    begun = len(stage.effects.begun)
    async with stage.running() as worker:
        await stage.enrol("8")
        await stage.turns(20, step=HOUR)
        assert worker.time.doubt() is not None
        assert await state_of_copy(stage) is CopyState.PRESENT
        assert len(stage.effects.begun) == begun
        stage.clock.wall -= YEAR
        await stage.until_phase(Phase.COMPLETED)
        await stage.until_phase(Phase.COMPLETED, user="8")
        assert worker.time.doubt() is None


async def test_a_long_stop_is_over_with_the_first_answer_of_the_uem(stage: Stage) -> None:
    truly(stage)
    await awaiting_purge(stage)
    stage.clock.advance(WEEK)
    async with stage.running() as worker:
        await stage.until(lambda: worker.time.doubt() is None, step=0)
        assert abs(worker.now() - stage.clock.wall) < HOUR
        await stage.until_phase(Phase.COMPLETED, step=100)


async def test_a_person_accepts_the_clock(stage: Stage) -> None:
    """The UEM does not answer; what was accepted another time does not count."""
    truly(stage)
    await awaiting_purge(stage)
    await stage.send(subject_key("-", SubjectKind.PARTITION, "0"), ClockAccepted(by="then"))
    stage.clock.advance(WEEK)
    down = Fault(code="UEM-001", family=Family.TRANSIENT, detail="down")
    stage.world.down = lambda _: down
    stage.world.fault = lambda _, __: down
    async with stage.running() as worker:
        await stage.turns(10, step=SECOND)
        assert worker.time.doubt() is not None
        await stage.send(subject_key("-", SubjectKind.PARTITION, "0"), ClockAccepted(by="now"))
        await stage.until(lambda: worker.time.doubt() is None, step=SECOND)
        assert abs(worker.now() - stage.clock.wall) < HOUR
    accepted = [one for one in await stage.audited() if one.action == "person.clock_accepted"]
    assert [(one.actor, one.outcome) for one in accepted] == [("then", "CLK-002"), ("now", "ok")]


async def test_a_listing_waits_while_the_time_is_in_doubt(stage: Stage) -> None:
    truly(stage)
    await awaiting_purge(stage)
    stage.clock.advance(WEEK)
    stage.clock.wall += YEAR
    async with stage.running():
        await stage.enrol("8")
        await stage.turns(20, step=10 * SECOND)
        delivery = await stage.delivery("8")
        assert delivery.phase is Phase.PLANNING
        assert delivery.entries == ()


@pytest.mark.parametrize("confirmed", [True, False])
async def test_time_steps_back_only_where_no_upstream_has_confirmed_it(
    stage: Stage, *, confirmed: bool
) -> None:
    """A journal that ran ahead unconfirmed heals; a UEM cannot undo its own word."""
    true = truly(stage)
    stage.clock.wall += YEAR
    if confirmed:
        stage.world.now = lambda: true() + YEAR
    else:
        stage.world.fault = lambda _, __: Fault(code="UEM-001", family=Family.TRANSIENT, detail="")
    async with stage.running():
        await stage.enrol()
        await stage.turns(10, step=100)
    stage.clock.wall -= YEAR
    stage.world.now, stage.world.fault = true, lambda _, __: None
    async with stage.running() as worker:
        await stage.turns(10, step=100)
        assert (abs(worker.now() - stage.clock.wall) < HOUR) is not confirmed
    actions = [one.action for one in await stage.audited()]
    assert ("clock.stepped_back" in actions) is not confirmed
