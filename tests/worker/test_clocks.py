"""What clocks that leap may do to a worker: nothing too early, nothing twice, no dead end."""

from typing import Any

import pytest

from connector.core.errors import Transient
from connector.core.facts import Acted, Looked
from connector.core.handover import HandoverJob, HandoverOutcome, NotSent, PluginReference
from connector.core.model import DAY, HOUR, Millis
from connector.core.states import Effect, HolderState, Phase, Running
from connector.simulators.instant import InstantWorld
from connector.worker.effects import UpstreamEffects
from connector.worker.ports import Subject
from tests.worker.conftest import HeldEffects, Stage


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
