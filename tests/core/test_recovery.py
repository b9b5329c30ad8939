"""Requests at the CA: asked for, awaited, asked for again, cleaned up."""

import pytest

from connector.core.errors import Family, Fault
from connector.core.events import CancelRequested
from connector.core.facts import CleanedUp, Permitted, failed
from connector.core.holder.recovery import unneeded
from connector.core.model import DAY, SECOND, OpenRequest, RequestState
from connector.core.policy import Retry
from connector.core.states import Effect, Phase
from connector.core.step import Step
from tests.core.names import ROUTE
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase


def test_requests_are_written_down_before_they_are_asked(loop: PureLoop) -> None:
    """Under ids of ours, so that none is forgotten by a crash."""
    loop.fates.append("crash")
    enrol(loop)
    until(loop, lambda: bool(holder(loop).requests))
    assert {one.id for one in holder(loop).requests} == set(loop.ca.requests)
    running = holder(loop).running
    assert running is not None
    assert (running.effect, running.route, running.person) == (Effect.BEGIN, "corp", "user1")
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED


def test_people_at_the_ca_are_awaited(loop: PureLoop) -> None:
    """Looked at again, not asked again."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    asked = set(loop.ca.requests)
    loop.pass_time(DAY)
    for _ in range(10):
        loop.step()
    assert set(loop.ca.requests) == asked
    loop.ca.decide(RequestState.GRANTED)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED


def test_a_denial_fails_the_delivery(loop: PureLoop) -> None:
    """With the CA's code; what was granted besides is cleaned up."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    denied = next(iter(loop.ca.requests))
    owner, request = loop.ca.requests[denied]
    loop.ca.requests[denied] = (owner, request.model_copy(update={"state": RequestState.DENIED}))
    loop.run_out()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "CA-410"
    assert holder(loop).requests == ()
    assert set(loop.ca.requests) <= {denied}


def test_lapsed_requests_are_asked_again_with_a_growing_pause(loop: PureLoop) -> None:
    """A CA that lets everything lapse at once is not asked in a loop."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    started = loop.now
    begun: list[int] = []
    while len(begun) < 6:
        loop.ca.decide(RequestState.EXPIRED)
        if holder(loop).running is not None or delivery(loop).step is Effect.BEGIN:
            begun.append(delivery(loop).due - loop.now)
            before = delivery(loop).attempts
            until(loop, lambda before=before: delivery(loop).attempts != before)  # type: ignore[misc]
        elif not loop.step():
            loop.pass_time(max(min(w.due for _, w in loop.wanted()) - loop.now, 0))
    assert loop.now - started > 60_000
    assert begun[-1] > begun[0] > 0


def test_a_grant_that_is_never_handed_out_ends_visibly(loop: PureLoop) -> None:
    """Every way back is counted, because every phase has a new deadline."""
    loop.fates.extend(["lapsed"] * 20)
    enrol(loop)
    loop.run_out()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "DLV-004"


def test_requests_that_nobody_fetches_are_cleaned_up(loop: PureLoop) -> None:
    """Also when the delivery failed or was cancelled."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    loop.send(HOLDER, CancelRequested(by="local:0"))
    loop.run_out()
    assert loop.ca.requests == {}
    assert holder(loop).requests == ()


def test_a_request_that_the_open_delivery_does_not_need_is_cleaned_up(loop: PureLoop) -> None:
    """Left from an earlier list of the CA; what the delivery waits for stays."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    needed = set(loop.ca.requests)
    left = OpenRequest(id="f" * 32, fingerprint="0" * 64, state=RequestState.PENDING)
    loop.ca.requests[left.id] = ("user1", left)
    state = holder(loop)
    loop.states[HOLDER] = state.model_copy(update={"requests": (*state.requests, left)})
    until(loop, lambda: left not in holder(loop).requests)
    assert set(loop.ca.requests) == needed == {one.id for one in holder(loop).requests}


def test_requests_stay_while_the_delivery_is_planned_again(loop: PureLoop) -> None:
    """The new plan probably needs them; nothing says yet that it does not."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    planned = delivery(loop).model_copy(update={"phase": Phase.PLANNING, "entries": ()})
    state = holder(loop).model_copy(update={"delivery": planned})
    assert unneeded(Step(state, loop.now, loop.rules())) == ()


def test_a_request_of_somebody_else_is_neither_taken_nor_ended_for_nothing(
    loop: PureLoop,
) -> None:
    """Another holder of the same person may be under way."""
    foreign = OpenRequest(id="f" * 32, fingerprint="0" * 64, state=RequestState.PENDING)
    loop.ca.requests[foreign.id] = ("user1", foreign)
    enrol(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert set(loop.ca.requests) == {foreign.id}


@pytest.mark.parametrize("effect", [Effect.BEGIN, Effect.HAND_OVER, Effect.PUSH, Effect.CLEAN_UP])
def test_a_stale_outcome_changes_nothing_and_is_audited(loop: PureLoop, effect: Effect) -> None:
    """Of an act for which no delivery waits."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    before = holder(loop)
    assert loop.apply(HOLDER, failed(effect, before.attempt, BROKEN)) is before
    assert loop.audited[-1].action == "act.stale_outcome"


REFUSED = Fault(code="CA-403", family=Family.PERMANENT)
BROKEN = Fault(code="CA-002", family=Family.TRANSIENT)


def clean_up_fails(loop: PureLoop, fault: Fault, most: int) -> list[int]:
    """When the CA was asked to end a request that it does not end."""
    loop.ca.asks_people = True
    loop.routes["corp"] = ROUTE.model_copy(
        update={"request_look_every": Retry(first=30 * SECOND, cap=900 * SECOND)}
    )
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    loop.send(HOLDER, CancelRequested(by="local:0"))
    tried: list[int] = []
    until(loop, lambda: delivery(loop).phase is Phase.CANCELLED)
    for _ in range(1000):
        wants = [w for w in holder(loop).wants if w.effect is Effect.CLEAN_UP]
        if not wants or len(tried) >= most:
            break
        loop.pass_time(max(wants[0].due - loop.now, 0))
        loop.apply(HOLDER, Permitted(Effect.CLEAN_UP))
        running = holder(loop).running
        assert running is not None
        tried.append(loop.now)
        loop.apply(HOLDER, CleanedUp(running.attempt, fault=fault))
    return tried


def test_a_clean_up_that_the_ca_refuses_for_good_comes_to_an_end(loop: PureLoop) -> None:
    """Visibly: the audit trail names what was left at the CA."""
    tried = clean_up_fails(loop, REFUSED, 100)
    assert len(tried) == 12
    assert holder(loop).requests == ()
    given_up = loop.audited[-1]
    assert (given_up.action, given_up.outcome) == ("recovery.clean_up_given_up", "CA-403")
    assert given_up.details["requests"]


def test_a_clean_up_that_fails_for_a_while_goes_on_with_growing_waits(loop: PureLoop) -> None:
    """The request may still be granted, and the key be fetched by another client."""
    tried = clean_up_fails(loop, BROKEN, 30)
    assert len(tried) == 30
    assert tried[-1] - tried[-2] >= 450 * SECOND
    assert holder(loop).requests
