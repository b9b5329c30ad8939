"""What a new owner finds, what a full disk costs, what a clock may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.events import DeviceUnenrolled, Paused
from connector.core.model import HOUR, SECOND, SubjectKind, parse_subject, subject_key
from connector.core.states import Effect, Phase
from connector.worker.journal_time import JournalTime
from tests.support.clocks import ManualClock
from tests.worker.conftest import ROUTE, Stage

DEVICE = subject_key("acme", SubjectKind.DEVICE, "7")
END = ROUTE.act_limit + ROUTE.hand_over_margin


async def test_an_open_act_is_awaited_to_its_end_before_it_is_done_again(stage: Stage) -> None:
    """Limit and margin on our own clock, counted from take-over."""
    stage.effects.door.clear()
    async with stage.killed():
        await stage.enrol()
        await stage.until(lambda: stage.effects.begun)
    stage.effects.door.set()
    stage.clock.advance(END - SECOND)
    found = stage.clock.now()
    async with stage.running():
        await stage.turns()
        assert len(stage.effects.begun) == 1
        stage.clock.advance(END - SECOND)
        await stage.turns()
        assert len(stage.effects.begun) == 1
        await stage.until_phase(Phase.COMPLETED)
    assert stage.effects.begun[1].started_at >= found + END
    actions = [entry.action for entry in await stage.audited()]
    assert actions.count("act.outcome_unknown") == 1


async def test_a_full_disk_starts_no_act_and_loses_no_outcome(stage: Stage) -> None:
    """Outcomes wait until they can be written down; permits are given back."""
    stage.effects.door.clear()
    async with stage.running():
        await stage.enrol()
        await stage.until(lambda: stage.effects.begun)
        stage.journal.full = True
        stage.effects.door.set()
        await stage.until(lambda: stage.journal.refused > 1, step=1)
        state = await stage.holder()
        assert state is not None
        assert state.running is not None
        assert len(stage.effects.begun) == 1
        stage.journal.full = False
        await stage.until_phase(Phase.COMPLETED)
    begun = [running.effect for running in stage.effects.begun]
    assert begun == [Effect.BEGIN, Effect.HAND_OVER]
    assert [e.action for e in await stage.audited()].count("recovery.begun") == 1


async def test_a_worker_that_is_stopped_writes_down_what_its_acts_bring(stage: Stage) -> None:
    """And starts nothing new meanwhile."""
    stage.effects.door.clear()
    async with stage.running() as worker:
        await stage.enrol()
        await stage.until(lambda: stage.effects.begun)
        worker.stop()
        await stage.turns()
        stage.effects.door.set()
    state = await stage.holder()
    assert state is not None
    assert state.running is None
    assert len(stage.effects.begun) == 1


async def test_a_known_id_again_changes_nothing(stage: Stage) -> None:
    """Any event twice is once."""
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.COMPLETED)
        before = await stage.holder()
        stage.world.gone_devices.add(parse_subject(DEVICE).id)
        await stage.send(DEVICE, DeviceUnenrolled(), name="left")
        await stage.until(lambda: _left(stage))
        after = await stage.holder()
        await stage.send(DEVICE, DeviceUnenrolled(), name="left")
        await stage.turns()
        assert await stage.holder() == after != before


async def _left(stage: Stage) -> bool:
    state = await stage.holder()
    return state is not None and not state.devices


async def test_a_removed_route_is_told_to_those_who_wait_for_it(stage: Stage) -> None:
    """After a restart with other settings nothing waits for an effect that cannot start."""
    async with stage.running():
        await stage.send(subject_key("-", SubjectKind.PARTITION, "0"), Paused(by="local:0"))
        await stage.enrol()
        await stage.until_phase(Phase.RECOVERING)
    stage.routes.clear()
    async with stage.running():
        await stage.until_phase(Phase.FAILED)
    trouble = (await stage.delivery()).trouble
    assert trouble is not None
    assert trouble.code == "USR-007"


async def test_only_so_many_hand_overs_run_at_once(stage: Stage) -> None:
    """Processes are memory; the others wait for a place, not for a time."""
    stage.limits = stage.limited(hand_overs=1)
    async with stage.running():
        for device in ("7", "8", "9"):
            await stage.enrol(device)
        for user in ("7", "8", "9"):
            await stage.until_phase(Phase.COMPLETED, user)
    assert len(stage.world.uploads) == 3


async def test_a_clock_that_leaps_ahead_is_written_down_and_ends_nothing(stage: Stage) -> None:
    """No deadline passes because the clock was set."""
    async with stage.running() as worker:
        stage.effects.door.clear()
        await stage.enrol()
        await stage.until(lambda: stage.effects.begun)
        before = worker.now()
        stage.clock.wall += 30 * 24 * HOUR
        await stage.turns(step=10)
        assert worker.now() < before + HOUR
        assert (await stage.delivery()).open
        stage.effects.door.set()
    assert "clock.jumped" in [entry.action for entry in await stage.audited()]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-(10**9), 10**9)), max_size=40))
def test_journal_time_never_goes_back_nor_stands_still(moves: list[tuple[int, int]]) -> None:
    """With any wall clock; the monotonic clock carries it on."""
    clock = ManualClock()
    time = JournalTime(clock, HOUR, 0)
    last = time.now()
    for elapsed, step in moves:
        clock.advance(elapsed)
        clock.wall += step
        now = time.now()
        assert last + elapsed - 1 <= now <= last + elapsed + HOUR
        last = now


@pytest.mark.parametrize(("step", "said"), [(2 * HOUR, "forward"), (-2 * HOUR, "backward")])
def test_a_jump_is_told_once(step: int, said: str) -> None:
    """And doubt ends when the wall agrees again."""
    clock = ManualClock()
    time = JournalTime(clock, HOUR, 0)
    clock.wall += step
    time.now()
    time.now()
    assert time.jumps() == [said]
    assert time.in_doubt is (said == "forward")
    clock.wall -= step
    time.now()
    assert not time.in_doubt
    assert time.jumps() == []


def test_time_starts_no_earlier_than_the_journal_has_seen() -> None:
    """A machine whose clock is behind does not undo what was concluded."""
    clock = ManualClock()
    assert JournalTime(clock, HOUR, clock.wall + 5000).now() == clock.wall + 5000
