"""What clocks that leap may do to a worker: nothing too early, nothing twice, no dead end."""

from typing import Any

import pytest

from connector.core.errors import Transient
from connector.core.facts import Acted, Looked
from connector.core.handover import HandoverJob, HandoverOutcome, NotSent, PluginReference, Unknown
from connector.core.model import DAY, HOUR, SECOND, Millis
from connector.core.states import Effect, HolderState, Phase, Running
from connector.simulators.instant import InstantWorld
from connector.worker.effects import UpstreamEffects
from connector.worker.ports import Subject
from tests.worker.conftest import ROUTE, HeldEffects, Stage

MINUTE: Millis = 60 * SECOND
LIMIT = ROUTE.hand_over_limit + ROUTE.hand_over_margin


class TimedEffects(HeldEffects):
    """Makes the jobs of hand-overs as the service does; ``times`` are those that went out."""

    def __init__(self, world: InstantWorld, stage: Stage) -> None:
        super().__init__(world)
        self.stage = stage
        self.times: list[Millis] = []

    async def run(
        self, job: HandoverJob, _limit: float, _deadline: float | None = None
    ) -> HandoverOutcome:
        self.times.append(job.now)
        return NotSent(fault=Transient("HND-006", "only its job is of interest").fault())

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked:
        self.times.append(now)
        return await super().look(effect, state, now)

    async def act(self, state: HolderState, running: Running, deadline: float) -> Acted:
        if running.effect is Effect.HAND_OVER:
            await self.made().act(state, running, deadline)
        return await super().act(state, running, deadline)

    def made(self) -> UpstreamEffects:
        hand_over: Any = self
        reference = PluginReference(plugin="x", name="x", settings={})
        return UpstreamEffects(
            backends={},
            targets={},
            references={"ca:acme-ca": reference, "uem:acme": reference},
            routes=lambda: self.stage.routes,
            hand_over=hand_over,
            paces=lambda _: 1.0,
            monotonic=self.stage.clock.monotonic,
            unexpected=lambda _, __: None,
        )


@pytest.mark.parametrize("jump", [400 * DAY, HOUR // 2, -HOUR, -400 * DAY])
async def test_all_that_goes_out_has_the_time_of_its_round(stage: Stage, jump: Millis) -> None:
    """Judged by another clock than its plan, a hand-over would find the list changed, always."""
    effects = TimedEffects(stage.world, stage)
    stage.effects = effects
    true = stage.clock.now
    stage.world.now = lambda: true() - jump
    async with stage.running() as worker:
        await stage.turns(3, step=100)
        stage.clock.wall += jump
        await stage.enrol()
        await stage.until_phase(Phase.AWAITING_PURGE, step=100)
        assert all(0 <= worker.now() - time < HOUR for time in effects.times)
    assert Effect.HAND_OVER in [running.effect for running in effects.begun]


async def left_open(stage: Stage) -> float:
    """An owner is killed with an upload under way; when, on the clock of the boot."""
    stage.effects.waiting = frozenset({Effect.HAND_OVER})
    stage.effects.door.clear()
    async with stage.killed():
        await stage.enrol()
        await stage.until(lambda: handed_over(stage))
    stage.effects.begun.clear()
    return stage.clock.seconds


def handed_over(stage: Stage) -> bool:
    return any(one.effect is Effect.HAND_OVER for one in stage.effects.begun)


@pytest.mark.parametrize("step", [4 * MINUTE, -4 * MINUTE, 0])
async def test_a_step_of_the_wall_clock_leaves_the_wait_for_an_act_as_it_is(
    stage: Stage, step: Millis
) -> None:
    """Two uploads are kept apart by what has passed on our own clock: no less, and no more."""
    found = await left_open(stage)
    async with stage.killed():
        await stage.turns(10, step=50)
        stage.clock.wall += step
        await stage.until(lambda: handed_over(stage), step=500)
    waited = (stage.clock.seconds - found) * SECOND
    assert LIMIT <= waited <= LIMIT + 30 * SECOND


async def test_a_step_of_the_wall_clock_brings_no_second_upload_while_one_is_unanswered(
    stage: Stage,
) -> None:
    """The process is gone, but what it sent may still arrive."""
    effects = stage.effects = Unanswered(stage.world)
    async with stage.killed():
        await stage.enrol()
        await stage.until(lambda: handed_over(stage))
        begun = stage.clock.seconds
        await stage.turns(10, step=50)
        stage.clock.wall += 4 * MINUTE
        effects.begun.clear()
        await stage.until(lambda: handed_over(stage), step=500)
    assert (stage.clock.seconds - begun) * SECOND >= LIMIT


class Unanswered(HeldEffects):
    """Nobody hears what becomes of an upload."""

    async def act(self, state: HolderState, running: Running, deadline: float) -> Acted:
        if running.effect is not Effect.HAND_OVER:
            return await super().act(state, running, deadline)
        self.begun.append(running)
        lost = Transient("UEM-002", "uploading: no answer").fault()
        return Acted(running.effect, running.attempt, Unknown(fault=lost, disclosed=3))


@pytest.mark.parametrize("boot", ["this boot of this machine", ""])
async def test_restarts_in_a_loop_wait_for_an_act_once(stage: Stage, boot: str) -> None:
    """Within one boot of the machine; where that has no name, each owner waits the whole time."""
    stage.boot = boot
    found = await left_open(stage)
    for _ in range(6):
        async with stage.killed():
            await stage.turns(10, step=2700)
        if handed_over(stage):
            break
    waited = (stage.clock.seconds - found) * SECOND
    assert handed_over(stage) is bool(boot)
    assert waited >= LIMIT


async def test_another_machine_waits_the_whole_time_from_its_take_over(stage: Stage) -> None:
    """No clock of another machine says what has passed; another boot has another clock as well."""
    stage.boot = "a boot"
    await left_open(stage)
    stage.boot, stage.clock.seconds = "another boot", 5000.0
    async with stage.killed():
        await stage.until(lambda: handed_over(stage), step=500)
    assert (stage.clock.seconds - 5000) * SECOND >= LIMIT
