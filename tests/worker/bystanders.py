"""One subject in trouble, and all others served as if it were not there: cases for any journal."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from connector.core.events import CertificatesChanged
from connector.core.facts import LOOKED, Looked
from connector.core.journal import StateRow, StatusFilter
from connector.core.metrics import NoMetrics
from connector.core.model import (
    HolderFacts,
    Millis,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.rows import UnreadableState
from connector.core.sizes import LARGEST
from connector.core.states import Effect
from connector.upstream import UEM, Kind, RequestLimit, fault
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.ports import Subject
from connector.worker.upstream_limits import Upstream, UpstreamLimits
from connector_testkit.conformance.journal_samples import written
from tests.worker.conftest import HeldEffects, Stage
from tests.worker.test_effects import Raising
from tests.worker.test_effects import effects as performed_by

SICK = "7"
OTHERS = [str(number) for number in range(20, 26)]
MANY = [str(number) for number in range(100, 110)]
STEP = 250
FAULTS = {
    "barred": fault(UEM, "acme", Kind.BARRED, "").fault(),
    "failing": fault(UEM, "acme", Kind.STUMBLED, "").fault(),
    "throttled": fault(UEM, "acme", Kind.SLOW_DOWN, "", retry_after=3600.0).fault(),
}
"""As the client raises them about one user, with the scope that it gives them."""
TOLD = {"too large": "JRN-015", "raises": "SRV-003"}
"""Troubles that are alarms, with their codes."""


class TroubledEffects(HeldEffects):
    """Looks at the UEM for some users or devices go wrong in one way; none while it is empty."""

    def __init__(self, stage: Stage, trouble: str, sick: Collection[str] = (SICK,)) -> None:
        super().__init__(stage.world)
        self.trouble = trouble
        self.sick = sick
        self.over = asyncio.Event()
        self.met = 0

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked[Any]:
        sick = parse_subject(state.key).id in self.sick and effect is not Effect.LIST
        if not sick or not self.trouble:
            return await super().look(effect, state, now)
        looked = await super().look(effect, state, now)
        self.met += self.trouble != "too large" or isinstance(looked.answer, HolderFacts)
        match self.trouble:
            case "slow":
                await self.over.wait()
            case "too large":
                looked = _swollen(looked)
            case "plug-in raises":
                broken = performed_by(Raising(KeyError("on purpose")), [])
                return await broken.look(effect, state, now)
            case "raises":
                return LOOKED[effect](state.version, object())
            case _:
                return LOOKED[effect](state.version, FAULTS[self.trouble])
        return looked


def _swollen(looked: Looked[Any]) -> Looked[Any]:
    """The same user with a name that no journal takes, as if it had not been cut."""
    if not isinstance(looked.answer, HolderFacts):
        return looked
    huge = looked.answer.model_copy(update={"name": "x" * LARGEST["state"]})
    return replace(looked, answer=huge)


def as_in_service(stage: Stage, rate: float = 2.0) -> UpstreamLimits:
    """Rates and room of a small installation: few places, a few requests a second."""
    places = {"uem:acme": 2, "ca:acme-ca": 1}
    limit = partial(RequestLimit, rate=lambda: rate, monotonic=stage.clock.monotonic)
    upstreams = {
        name: Upstream(
            CircuitBreaker(stage.clock.monotonic, lambda *_: None), limit(name), parallel
        )
        for name, parallel in places.items()
    }
    return UpstreamLimits(upstreams, lambda: stage.routes, 2, None, NoMetrics())


def delivered(stage: Stage) -> set[str]:
    return {user for user, _ in stage.world.uploads} - {SICK}


async def serve_others(stage: Stage) -> None:
    """Enrol the others, and wait until each has its keys."""
    for user in OTHERS:
        await stage.enrol(user)
    await stage.until(lambda: delivered(stage) >= set(OTHERS), step=STEP)


class BystanderCases:
    """With any trouble of one subject, and as long as it lasts."""

    @pytest.mark.parametrize(
        "trouble", ["slow", "barred", "throttled", "too large", "plug-in raises", "raises"]
    )
    async def test_others_are_served(self, stage: Stage, trouble: str) -> None:
        effects = TroubledEffects(stage, "")
        stage.effects = effects
        stage.limits = as_in_service(stage)
        async with stage.running():
            effects.trouble = trouble if trouble == "too large" else ""  # shown by the first look
            await stage.enrol(SICK)
            if not effects.trouble:
                await stage.until(lambda: SICK in {user for user, _ in stage.world.uploads})
                effects.trouble = trouble
            await stage.until(lambda: effects.met)
            # Now it waits in a second lane, too, and longest of all: a look at the CA.
            person = subject_key("acme-ca", SubjectKind.PERSON, f"user{SICK}")
            await stage.send(person, CertificatesChanged(what="renewed"))
            await stage.turns(4, step=STEP)
            await serve_others(stage)
            effects.trouble = ""
            effects.over.set()
        assert delivered(stage) == set(OTHERS)
        told = {(parse_subject(one.key).id, one.code) for one in stage.failures}
        assert told == ({(SICK, TOLD[trouble])} if trouble in TOLD else set())

    async def test_others_are_served_beside_a_state_of_another_version(self, stage: Stage) -> None:
        """For each event for it, and although it wants something at once."""
        stage.limits = as_in_service(stage)
        key = subject_key("acme", SubjectKind.HOLDER, SICK)
        foreign = UnreadableState(
            key=key,
            kind="holder",
            phase="of tomorrow",
            route="corp",
            code="",
            version=7,
            act_epoch=0,
            state=b'{"member_of_tomorrow":1}',
            wants=(("hand_over:corp", 1), ("look_up:corp", 1)),
        )
        record = await stage.journal.take_over(0)
        await written(stage.journal, record, states=[StateRow(key=key, state=foreign)])
        async with stage.running():
            await stage.enrol(SICK)
            await serve_others(stage)
            await stage.until(lambda: stage.failures)
        assert {user for user, _ in stage.world.uploads} == set(OTHERS)
        assert {(one.key, one.code) for one in stage.failures} == {(key, "EVT-005")}
        assert foreign in await stage.journal.status(StatusFilter())

    @pytest.mark.parametrize("trouble", ["barred", "failing"])
    async def test_others_are_served_behind_many(self, stage: Stage, trouble: str) -> None:
        stage.effects = TroubledEffects(stage, trouble, MANY)
        stage.limits = as_in_service(stage)
        async with stage.running():
            for user in MANY:
                await stage.enrol(user)
            await serve_others(stage)
            standing = stage.limits.states()
        assert delivered(stage) == set(OTHERS)
        assert {one.state for one in standing.values()} == {"closed"}
