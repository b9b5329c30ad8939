"""Steps that fail for a long time: the waits grow to their cap, and the copy's alarm comes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from connector.core.errors import Family, Fault, Scope
from connector.core.events import CancelRequested, CertificatesChanged
from connector.core.facts import LOOKED, HandedOver, Looked, failed
from connector.core.handover import HandoverOutcome, NotSent, Refused, Unknown
from connector.core.model import DAY, HOUR, SECOND, Millis, SubjectKey
from connector.core.policy import PushPolicy, Retry, RoutePolicy
from connector.core.states import CopyState, Effect, HolderState, Phase, Running
from tests.core.names import ROUTE, person_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase
from tests.core.upstreams import RETENTION

CAP: Millis = 900 * SECOND
TRIES = 28
PATIENT = ROUTE.model_copy(
    update={
        "retry": Retry(first=2 * SECOND, cap=CAP),
        "look_every": Retry(first=30 * SECOND, cap=CAP),
        "request_look_every": Retry(first=30 * SECOND, cap=CAP),
        "phase_deadline": 14 * DAY,
        "look_fresh": 60 * SECOND,
    }
)
"""The waits of a route as it is by default."""
FAULT = Fault(code="HND-002", family=Family.TRANSIENT)
OF_ALL = Fault(code="UEM-401", family=Family.PERMANENT, scope=Scope.UPSTREAM, upstream="uem:acme")


@dataclass
class Failing(PureLoop):
    """One effect always fails, for one holder; all the others go well.

    ``tried``: when it was tried. ``how``: what its failure looks like.
    """

    effect: Effect | None = None
    how: str = "failed"
    tried: list[Millis] = field(default_factory=list)
    routes: dict[str, RoutePolicy] = field(default_factory=lambda: {"corp": PATIENT})

    def look(self, key: SubjectKey, effect: Effect) -> Looked[Any]:
        if effect is not self.effect:
            return super().look(key, effect)
        self.tried.append(self.now)
        return LOOKED[effect](self.states[key].version, FAULT)

    def act(self, state: HolderState, running: Running) -> None:
        if running.effect is not self.effect:
            super().act(state, running)
            return
        self.tried.append(self.now)
        outcomes: dict[str, HandoverOutcome] = {
            "not_sent": NotSent(fault=FAULT),
            "unknown": Unknown(fault=FAULT),
            "refused, scope upstream": Refused(fault=OF_ALL, disclosed=2),
        }
        if self.how in outcomes:
            self.answer(state.key, HandedOver(running.attempt, outcomes[self.how]))
        else:
            self.answer(state.key, failed(running.effect, running.attempt, FAULT))


def fail_often(loop: Failing, effect: Effect) -> Iterator[Millis]:
    """The gaps between the tries of an effect that fails so often in a row."""
    loop.effect = effect
    until(loop, lambda: len(loop.tried) > TRIES, most=4000)
    return (later - one for one, later in pairwise(loop.tried))


def settled(loop: Failing, effect: Effect) -> None:
    """Bring the loop to the place where an effect is next."""
    loop.ca.issue("user1")
    loop.ca.asks_people = effect in {Effect.LOOK_REQUESTS, Effect.CLEAN_UP}
    enrol(loop, online=effect not in {Effect.LOOK_INSTALLED, Effect.PUSH})
    if effect is Effect.LOOK_GONE:
        until_phase(loop, Phase.AWAITING_PURGE)
    if effect is Effect.CLEAN_UP:
        until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
        loop.send(HOLDER, CancelRequested(by="local:0"))
    if effect is Effect.PUSH:
        loop.routes["corp"] = PATIENT.model_copy(update={"push": PushPolicy.ALWAYS})


@pytest.mark.parametrize("how", ["failed", "not_sent", "unknown", "refused, scope upstream"])
def test_a_hand_over_that_fails_waits_longer_each_time(how: str) -> None:
    """Also with a good look at the user before each try; a day has about two hundred of them."""
    loop = Failing()
    loop.how = how
    settled(loop, Effect.HAND_OVER)
    gaps = list(fail_often(loop, Effect.HAND_OVER))
    assert max(gaps[-5:]) >= CAP // 2  # the dice say one half


@pytest.mark.parametrize(
    "effect",
    [
        *(Effect.LOOK_UP, Effect.LIST, Effect.BEGIN, Effect.LOOK_REQUESTS),
        *(Effect.LOOK_INSTALLED, Effect.LOOK_GONE, Effect.PUSH, Effect.CLEAN_UP),
    ],
)
def test_every_step_that_fails_waits_longer_each_time(effect: Effect) -> None:
    """The waits grow to their cap, also with successes in between."""
    loop = Failing()
    settled(loop, effect)
    gaps = list(fail_often(loop, effect))
    assert min(gaps[-3:]) >= CAP // 2, gaps


def test_a_device_that_cannot_be_looked_up_is_looked_up_more_and_more_rarely() -> None:
    """Before the holder knows of it."""
    loop = Failing(effect=Effect.LOOK_UP_DEVICE)
    loop.ca.issue("user1")
    enrol(loop)
    while len(loop.tried) <= TRIES:
        if not loop.step():
            loop.pass_time(max(min(want.due for _, want in loop.wanted()) - loop.now, 0))
    gaps = [later - one for one, later in pairwise(loop.tried)]
    assert min(gaps[-3:]) >= CAP // 2, gaps


@pytest.mark.parametrize("fates", [["not_sent", "lapsed"], ["lapsed", "not_sent", "not_sent"]])
def test_failures_of_different_steps_do_not_go_round_without_an_end(fates: list[str]) -> None:
    """A grant that lapses leads back to the CA; that is counted, and each wait is kept."""
    loop = Failing()
    loop.ca.issue("user1")
    loop.ca.issue("user1")
    enrol(loop)
    loop.fates.extend(fates * 200)
    loop.run_out()
    assert delivery(loop).phase is Phase.FAILED
    assert 200 * len(fates) - len(loop.fates) < 40


def test_a_look_for_a_change_that_fails_waits_longer_each_time() -> None:
    """The look at the CA outside planning counts its own tries."""
    loop = Failing()
    settled(loop, Effect.LOOK_GONE)
    loop.send(person_key("user1"), CertificatesChanged())
    gaps = list(fail_often(loop, Effect.LIST))
    assert min(gaps[-3:]) >= CAP // 2, gaps


def test_uploads_of_unknown_fate_do_not_put_the_alarm_off() -> None:
    """The copy is overdue from the first that may have arrived, and gone from the last one."""
    loop = Failing()
    loop.how = "unknown"
    settled(loop, Effect.HAND_OVER)
    loop.effect = Effect.HAND_OVER
    until(loop, lambda: len(loop.tried) == 1)
    first = loop.now
    alarm = RETENTION + PATIENT.retention_margin + PATIENT.overdue_after
    until(loop, lambda: loop.now > first + alarm + HOUR, most=9000)
    assert holder(loop).copy_.overdue
    raised = [entry.at for entry in loop.audited if entry.action == "copy.overdue"]
    assert len(raised) == 1
    assert first <= raised[0] - alarm <= first + HOUR
    loop.effect = None
    until(loop, lambda: holder(loop).copy_.state is CopyState.GONE, most=4000)
    assert loop.now >= loop.uem.ledger[-1].at + RETENTION


def test_a_hand_over_keeps_its_place_over_the_look_before_it() -> None:
    """Behind all others the look would be too old again before its turn came."""
    loop = Failing()
    settled(loop, Effect.HAND_OVER)
    until(loop, lambda: delivery(loop).step is Effect.HAND_OVER)
    place = delivery(loop).due
    loop.pass_time(PATIENT.look_fresh + SECOND)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_UP)
    until(loop, lambda: delivery(loop).step is Effect.HAND_OVER)
    assert delivery(loop).due == place
    assert HOLDER in loop.states
