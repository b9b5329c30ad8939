"""Requests at the CA: asked for, awaited, asked for again, cleaned up."""

import pytest

from connector.core.events import CancelRequested
from connector.core.facts import Acted
from connector.core.model import DAY, OpenRequest, RequestState
from connector.core.states import Effect, Phase
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase


def test_requests_are_written_down_before_they_are_asked(loop: PureLoop) -> None:
    """Under ids of ours, so that none is forgotten by a crash."""
    loop.fates.append("crash")
    enrol(loop)
    until(loop, lambda: bool(holder(loop).requests))
    assert {one.id for one in holder(loop).requests} == set(loop.ca.requests)
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
    """Whatever became of the delivery."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    loop.send(HOLDER, CancelRequested(by="local:0"))
    loop.run_out()
    assert loop.ca.requests == {}
    assert holder(loop).requests == ()


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
    """Of an act that nobody waits for."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    before = holder(loop)
    assert loop.apply(HOLDER, Acted(effect, before.attempt)) is before
    assert loop.audited[-1].action == "act.stale_outcome"
