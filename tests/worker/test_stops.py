"""Brakes on a running worker: at once, and over restarts (promise 10)."""

import pytest

from connector.core.events import Paused, Resumed
from connector.core.model import DAY, HOUR, SubjectKind, subject_key
from connector.core.policy import Mode
from connector.core.states import Brakes, CopyState, Phase
from connector.worker import brakes
from tests.worker.conftest import ROUTE, Stage

PARTITION = subject_key("-", SubjectKind.PARTITION, "0")


async def pause(stage: Stage, route: str | None = None) -> None:
    await stage.send(PARTITION, Paused(by="local:0", reason="incident", route=route))


async def resume(stage: Stage, route: str | None = None) -> None:
    await stage.send(PARTITION, Resumed(by="local:0", reason="over", route=route))


async def test_a_pause_starts_no_act_and_keeps_looking(stage: Stage) -> None:
    """Events are taken, users looked up, sets planned; nothing is fetched until it is released."""
    async with stage.running():
        await pause(stage)
        await stage.enrol()
        await stage.until_phase(Phase.RECOVERING)
        await stage.turns(step=HOUR)
        assert stage.effects.begun == []
        await resume(stage)
        await stage.until_phase(Phase.COMPLETED)


async def test_a_pause_holds_over_a_restart(stage: Stage) -> None:
    """It is part of the partition's own record."""
    async with stage.running():
        await pause(stage, "corp")
        await stage.enrol()
        await stage.until_phase(Phase.RECOVERING)
    async with stage.running() as worker:
        assert worker.record.brakes.routes_paused == {"corp"}
        await stage.turns(step=HOUR)
        assert stage.effects.begun == []


async def test_a_pause_ends_what_does_not_upload_yet(stage: Stage) -> None:
    """The children are notified in the same round, before anything else is started."""
    stage.effects.door.clear()
    async with stage.running():
        await stage.enrol()
        await stage.until(lambda: stage.effects.begun)
        await pause(stage)
        await stage.until(lambda: stage.effects.held)
        stage.effects.door.set()
    assert stage.effects.held == 1


async def test_a_pause_keeps_the_watch_over_copies_going(stage: Stage) -> None:
    """What is in the UEM is watched to its end."""
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.AWAITING_PURGE)
        await pause(stage)
        await stage.until_phase(Phase.COMPLETED)
    state = await stage.holder()
    assert state is not None
    assert state.copy_.state is CopyState.GONE


async def test_the_ceiling_holds_hand_overs_back_and_over_a_restart(stage: Stage) -> None:
    """Two keys each, three an hour: the second user waits for the next hour."""
    stage.limits = stage.limited(ceiling=3)
    async with stage.running():
        await stage.enrol("7")
        await stage.until(lambda: stage.world.uploads)
        await stage.enrol("8")
        await stage.until_phase(Phase.HANDING_OVER, "8")
        await stage.turns(step=1000)
        assert (await stage.delivery("8")).phase is Phase.HANDING_OVER
    async with stage.running() as worker:
        assert brakes.disclosed(worker.record.brakes, stage.clock.now()) == 2
        await stage.turns(step=1000)
        assert [user for user, _ in stage.world.uploads] == ["7"]
        stage.clock.advance(HOUR)
        await stage.until(lambda: len(stage.world.uploads) == 2)


async def test_observe_fetches_nothing(stage: Stage) -> None:
    """Everything is planned and listed, and ends with a code."""
    stage.routes["corp"] = ROUTE.model_copy(update={"mode": Mode.OBSERVE})
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.CANCELLED)
    assert stage.effects.begun == []
    assert (await stage.delivery()).digest is not None


async def test_brakes_of_one_route_leave_the_others_alone() -> None:
    """And who releases nothing holds no deadline for a day."""
    held = brakes.pause(Brakes(), "a", 10)
    held = brakes.pause(held, "b", 20)
    assert held.paused_since == 10
    held = brakes.resume(held, "a", 30)
    assert held.routes_paused == {"b"}
    assert held.paused_since == 10
    held = brakes.resume(held, "b", 40)
    assert (held.paused_since, held.released_at) == (None, 40)
    assert brakes.hold_deadlines(held, 40 + DAY - 1)
    assert not brakes.hold_deadlines(held, 40 + DAY)
    assert brakes.resume(Brakes(), None, 50).released_at is None


async def test_the_end_of_the_pause_of_all_routes_leaves_that_of_one() -> None:
    """Another operator applied it, for another reason; it ends by its own name."""
    held = brakes.pause(Brakes(), "staff", 10, by="anna", reason="leak")
    held = brakes.pause(held, None, 20, by="bert", reason="upgrade")
    held = brakes.resume(held, None, 30)
    assert [(one.route, one.by) for one in held.standing()] == [("staff", "anna")]
    assert (held.paused_since, held.released_at) == (10, None)
    assert brakes.resume(held, "staff", 40).released_at == 40


async def test_a_second_pause_of_the_same_scope_is_audited_as_such(stage: Stage) -> None:
    """The first one stays, with who applied it and why."""
    for by in ("anna", "bert"):
        await stage.send(PARTITION, Paused(by=by, reason=f"reason of {by}", route="corp"))

    async def both() -> bool:
        return sum(one.action == "person.paused" for one in await stage.audited()) == 2

    async with stage.running():
        await stage.until(both)
        (record,) = await stage.journal.records()
    assert [one.by for one in record.brakes.standing()] == ["anna"]
    told = [(one.actor, one.outcome) for one in await stage.audited() if "paused" in one.action]
    assert told == [("anna", "ok"), ("bert", "ADM-005")]


async def test_keys_are_counted_for_an_hour() -> None:
    """By the minute, so that the record stays small."""
    counted = Brakes()
    for at in range(0, 2 * HOUR, 1000):
        counted = brakes.disclose(counted, at, 1)
    assert len(counted.disclosed) <= 62
    assert 3600 <= brakes.disclosed(counted, 2 * HOUR - 1) <= 3660


@pytest.mark.parametrize("second", [0, 1, 30, 59])
async def test_a_key_counts_for_a_whole_hour(second: int) -> None:
    """Wherever in its minute it was disclosed; at most a minute longer."""
    at = 10 * HOUR + second * 1000
    counted = brakes.disclose(Brakes(), at, 1)
    assert brakes.disclosed(counted, at + HOUR - 1) == 1
    assert brakes.disclosed(counted, at + HOUR + 60_000) == 0
