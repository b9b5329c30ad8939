"""What clocks that leap may do to a worker: nothing too early, nothing twice, no dead end."""

import asyncio
from itertools import product
from typing import Any

import pytest

from connector.core.errors import Transient
from connector.core.facts import Acted, HandedOver, Looked
from connector.core.handover import HandoverJob, HandoverOutcome, NotSent, PluginReference, Unknown
from connector.core.model import DAY, HOUR, SECOND, Millis, SubjectKey
from connector.core.states import CopyState, Effect, Phase, Running
from connector.crash import POINTS, never
from connector.worker.effects import UpstreamEffects
from connector.worker.handover_jobs import HandoverJobs
from connector.worker.ports import Subject
from connector_testkit.simulators.instant import InstantWorld
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

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked[Any]:
        self.times.append(now)
        return await super().look(effect, state, now)

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        if running.effect is Effect.HAND_OVER:
            await self.made().act(key, running, deadline)
        return await super().act(key, running, deadline)

    def made(self) -> UpstreamEffects:
        hand_over: Any = self
        reference = PluginReference(plugin="x", name="x", settings={})
        return UpstreamEffects(
            backends={},
            targets={},
            routes=lambda: self.stage.routes,
            jobs=HandoverJobs(
                {"ca:acme-ca": reference, "uem:acme": reference}, lambda _: 1.0, lambda _: None
            ),
            hand_over=hand_over,
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
    """The outcome of an upload is not received."""

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        if running.effect is not Effect.HAND_OVER:
            return await super().act(key, running, deadline)
        self.begun.append(running)
        lost = Transient("UEM-002", "uploading: no answer").fault()
        return HandedOver(running.attempt, Unknown(fault=lost, disclosed=3))


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
    assert waited >= LIMIT
    async with stage.killed():
        if boot:  # the time is over, however few rounds the loop had for it
            await stage.until(lambda: handed_over(stage), step=0)
        else:
            await stage.turns(10, step=2700)
            assert not handed_over(stage)


async def test_another_machine_waits_the_whole_time_from_its_take_over(stage: Stage) -> None:
    """No clock of another machine says what has passed; another boot has another clock as well."""
    stage.boot = "a boot"
    await left_open(stage)
    stage.boot, stage.clock.seconds = "another boot", 5000.0
    async with stage.killed():
        await stage.until(lambda: handed_over(stage), step=500)
    assert (stage.clock.seconds - 5000) * SECOND >= LIMIT


class Kept(HeldEffects):
    """Uploads of killed owners run to their limit; ``early`` lists those that began before that.

    A hand-over passes its crash points here, before its upload or after it.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.world)
        self.stage = stage
        self.clock = stage.clock
        self.open: dict[int, float] = {}
        self.early: list[Running] = []

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        if running.effect is not Effect.HAND_OVER:
            return await super().act(key, running, deadline)
        if any(end > self.clock.seconds for end in self.open.values()):
            self.early.append(running)
        self.open[running.attempt] = deadline
        for point in BEFORE_SENT:
            self.stage.crash(point)
        fact = await super().act(key, running, deadline)
        self.stage.crash("handover.sent")
        del self.open[running.attempt]
        return fact


class KilledError(Exception):
    """An owner ends at a crash point."""


BEFORE_SENT = POINTS[POINTS.index("handover.started") : POINTS.index("handover.sent")]
TWICE = ("loop.after_read", "loop.after_advance", "loop.after_commit", "act.after")
"""An owner ends there at the first or at the second time, around the hand-over."""
CLOCKS = (0, 4 * MINUTE, -4 * MINUTE, 400 * DAY, -400 * DAY)
AGREED = (400 * DAY, 400 * DAY)
LEAPS = [leap for leap in product(CLOCKS, CLOCKS) if any(leap) and leap != AGREED]
"""Of our wall clock, and of the UEM's."""
HOPELESS = ((400 * DAY, -400 * DAY), (-400 * DAY, 400 * DAY), (-400 * DAY, -400 * DAY))
"""No clock agrees with the journal, or both say a time before one that the UEM has confirmed."""
THOROUGH = ("loop.after_commit", "act.after")
"""Every leap is tried there, and one or two of them at each of the other points."""
CASES = [
    pytest.param(point, number // 2 % 2 if point in TWICE else 0, leap, id=f"{point}-{number}")
    for place, point in enumerate(POINTS)
    for number, leap in enumerate(LEAPS)
    if point in THOROUGH or number % len(POINTS) == place
]


@pytest.mark.parametrize(("point", "passes", "leap"), CASES)
async def test_clocks_that_leap_around_a_death_bring_nothing_twice_or_too_early(
    stage: Stage, point: str, passes: int, leap: tuple[Millis, Millis]
) -> None:
    """And once they are right again, everything comes to its end."""
    effects = stage.effects = Kept(stage)
    stage.routes["corp"] = ROUTE.model_copy(update={"retention": HOUR, "retention_margin": HOUR})
    start, wrong = stage.clock.seconds, [0]

    def passed() -> Millis:
        return int((stage.clock.seconds - start) * SECOND)

    stage.world.now = lambda: 1_800_000_000_000 + passed() + wrong[0]
    await stage.enrol()
    await dies(stage, point, passes)
    stage.clock.wall += leap[0]
    wrong[0] += leap[1]
    async with stage.killed():
        if leap in HOPELESS:
            before = len(effects.begun)
            await stage.turns(10, step=MINUTE)
            assert len(effects.begun) == before
            stage.clock.wall -= leap[0]
            leap = wrong[0], _ = 0, 0
        await stage.until(lambda: stage.world.uploads, step=2 * SECOND)
        uploaded = passed()
        while passed() < uploaded + HOUR // 2:
            await stage.turns(1, step=5 * MINUTE)
        holder = await stage.holder()
        assert holder is not None
        assert holder.copy_.state is not CopyState.GONE
        stage.clock.wall -= leap[0]
        wrong[0] -= leap[1]
        await stage.until_phase(Phase.COMPLETED, step=5 * MINUTE)
    assert effects.early == []
    assert passed() >= uploaded + HOUR


@pytest.mark.parametrize("point", POINTS)
async def test_what_both_clocks_say_has_passed_counts(stage: Stage, point: str) -> None:
    """As after a year without power: the delivery is over, with a code, and nothing goes out."""
    effects = stage.effects = Kept(stage)
    await stage.enrol()
    await dies(stage, point)
    sent = len(stage.world.uploads)
    stage.clock.wall += AGREED[0]
    async with stage.killed():
        await stage.until_phase(Phase.FAILED, step=2 * SECOND)
        await stage.turns(10, step=MINUTE)
    trouble = (await stage.delivery()).trouble
    assert trouble is not None
    assert trouble.code == "DLV-001"
    assert len(stage.world.uploads) == sent
    assert effects.early == []


async def dies(stage: Stage, point: str, passes: int = 0) -> None:
    """An owner takes the delivery on, and ends at a crash point near its hand-over."""
    if point == "loop.after_take_over":
        await dies(stage, "act.before")
    left = [passes]

    def crash(passed: str) -> None:
        if passed == point and (stage.world.begun or stage.world.uploads):
            left[0] -= 1
            if left[0] < 0:
                raise KilledError

    stage.crash = crash
    stage.turning = stage.worker()
    running = asyncio.create_task(stage.turning.run())
    await stage.until(running.done)
    assert running.exception() is not None
    stage.crash = never
