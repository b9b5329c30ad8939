"""The copy in the UEM, watched to its end whichever way the delivery ends."""

import pytest

from connector.core.events import CancelRequested
from connector.core.facts import ActFound, CopyLookedAt
from connector.core.model import DAY, HOUR, SECOND
from connector.core.ports import GoneLook
from connector.core.states import CopyState, Effect, Phase
from connector.core.step import Moment
from tests.core.names import ROUTE
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, redeliver, until, until_phase

LIMIT = ROUTE.hand_over_limit + ROUTE.hand_over_margin


def test_the_copy_is_perhaps_there_as_soon_as_the_act_is_written_down(loop: PureLoop) -> None:
    """Not only when the UEM has answered."""
    loop.fates.append("silent")
    enrol(loop)
    until(loop, lambda: holder(loop).running is not None)
    until(loop, lambda: holder(loop).copy_.state is CopyState.PERHAPS)
    assert holder(loop).copy_.digests == (delivery(loop).digest,)


@pytest.mark.parametrize("fate", ["not_sent", "refused"])
def test_a_proven_failure_leaves_the_copy_as_it_was(loop: PureLoop, fate: str) -> None:
    """None the first time, present with its own end the second time."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    before = holder(loop).copy_
    loop.fates.append(fate)
    redeliver(loop)
    until(loop, lambda: not loop.fates)
    assert holder(loop).copy_ == before


def test_an_unanswered_upload_keeps_every_digest_that_may_be_there(loop: PureLoop) -> None:
    """And is counted from the first Date seen after its end."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    old = delivery(loop).digest
    loop.ca.issue("user1")
    loop.fates.append("unanswered")
    redeliver(loop)
    until(loop, lambda: holder(loop).copy_.state is CopyState.PERHAPS)
    copy = holder(loop).copy_
    assert copy.digests == (old, delivery(loop).digest)
    assert copy.since_server is None
    assert copy.not_after is not None
    loop.send(HOLDER, CancelRequested(by="local:0"))
    until(loop, lambda: holder(loop).copy_.since_server is not None)
    assert (holder(loop).copy_.since or 0) >= copy.not_after


def test_the_next_hand_over_waits_until_the_last_cannot_reach_the_uem(loop: PureLoop) -> None:
    """Also when it belongs to another delivery: the newest set is the last one there."""
    loop.fates.append("late")
    enrol(loop)
    until(loop, lambda: not loop.fates)
    unanswered = loop.now
    loop.ca.issue("user1")
    redeliver(loop)
    until_phase(loop, Phase.AWAITING_INSTALL)
    assert loop.now >= unanswered + ROUTE.hand_over_limit
    expected = loop.expected(holder(loop))
    assert expected is not None
    assert loop.uem.ledger[-1].digest == expected.digest


def test_a_successor_waits_for_the_end_of_an_act_on_its_own_clock(loop: PureLoop) -> None:
    """From take-over, not from the start that another machine wrote down."""
    loop.fates.append("silent")
    enrol(loop)
    until(loop, lambda: holder(loop).running is not None)
    loop.pass_time(LIMIT - SECOND)
    loop.epoch += 1
    loop.apply(HOLDER, ActFound())
    running = holder(loop).running
    assert running is not None
    assert running.not_before == loop.now + LIMIT
    assert holder(loop).copy_.not_after == loop.now + LIMIT
    assert [want.effect for want in holder(loop).wants] == [Effect.WAIT]


def test_gone_names_its_evidence_and_both_clocks(loop: PureLoop) -> None:
    """Counted on the UEM's clock from the end of the last attempt."""
    enrol(loop)
    loop.run_out()
    copy = holder(loop).copy_
    assert copy.state is CopyState.GONE
    assert copy.evidence == "retention window passed on the UEM's clock"
    assert copy.since_server is not None
    assert copy.gone_at is not None
    assert (copy.gone_at_server or 0) >= copy.since_server + ROUTE.retention


def test_the_copy_of_a_cancelled_delivery_is_watched(loop: PureLoop) -> None:
    """Also when the delivery failed or was cancelled."""
    enrol(loop, online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)
    loop.send(HOLDER, CancelRequested(by="local:0"))
    loop.run_out()
    assert delivery(loop).phase is Phase.CANCELLED
    assert holder(loop).copy_.state is CopyState.GONE


def test_nothing_is_concluded_while_the_clocks_disagree(loop: PureLoop) -> None:
    """An alarm, and looks that go on until they agree."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.skew = 3 * DAY
    until(loop, lambda: holder(loop).copy_.clocks_disagree)
    for _ in range(20):
        if not loop.step():
            loop.pass_time(HOUR)
    assert holder(loop).copy_.state is CopyState.PRESENT
    loop.skew = 0
    loop.run_out()
    assert holder(loop).copy_.state is CopyState.GONE


def test_a_copy_that_cannot_be_proven_gone_becomes_an_alarm(loop: PureLoop) -> None:
    """Also when the UEM does not answer at all, so that no look comes back."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    alarm = loop.now + ROUTE.retention + ROUTE.retention_margin + ROUTE.overdue_after
    watch = [want for want in holder(loop).wants if want.effect is Effect.WAIT]
    assert [want.due for want in watch] == [pytest.approx(alarm, abs=SECOND)]
    loop.pass_time(alarm - loop.now + SECOND)
    loop.down.add("uem")
    until(loop, lambda: holder(loop).copy_.overdue)
    loop.down.clear()
    loop.run_out()
    assert holder(loop).copy_.state is CopyState.GONE


def test_a_look_within_the_retention_proves_nothing(loop: PureLoop) -> None:
    """However early it comes, from any cause."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.pass_time(ROUTE.retention - HOUR)
    look = GoneLook(server_time=loop.now)
    loop.apply(HOLDER, CopyLookedAt(holder(loop).version, look))
    assert holder(loop).copy_.state is CopyState.PRESENT


def test_a_stale_look_changes_nothing_and_is_audited(loop: PureLoop) -> None:
    """It was made for another version of the holder."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    before = holder(loop)
    look = GoneLook(server_time=loop.now + DAY, copy_present=False)
    assert loop.apply(HOLDER, CopyLookedAt(before.version - 1, look)) is before
    assert loop.audited[-1].action == "look.stale_outcome"
    assert loop.moments[-1] == Moment("stale_fact", {"subject": "holder"})


def test_a_copy_counts_from_the_end_of_its_last_attempt_on_a_clock_that_cannot_leap(
    loop: PureLoop,
) -> None:
    """Journal time may be ahead of what has passed; the upload may still arrive."""
    loop.fates.append("unanswered")
    enrol(loop)
    until(loop, lambda: not loop.fates)
    loop.send(HOLDER, CancelRequested(by="local:0"))
    while loop.queue:
        loop.step()
    loop.behind = LIMIT - SECOND  # a step of the wall clock that journal time has followed
    loop.now += LIMIT - SECOND
    began = loop.now
    until(loop, lambda: holder(loop).copy_.since_server is not None)
    assert (holder(loop).copy_.since or 0) >= began + LIMIT - 2 * SECOND
