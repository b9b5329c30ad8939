"""A holder whose journal was put back to an older state."""

import pytest

from connector.core.events import JournalRestored
from connector.core.model import DAY, SECOND
from connector.core.states import CopyState, Effect, Phase
from connector.worker import brakes
from tests.core.names import ROUTE
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase

MINUTE = 60 * SECOND


def restore(loop: PureLoop) -> None:
    loop.send(HOLDER, JournalRestored(by="local:0", reason="disk"))
    until(loop, lambda: any("journal_restored" in entry.action for entry in loop.audited))


@pytest.mark.parametrize("phase", [Phase.AWAITING_INSTALL, Phase.AWAITING_PURGE, Phase.COMPLETED])
def test_every_copy_is_perhaps_there(loop: PureLoop, phase: Phase) -> None:
    """A set may have been uploaded since the backup; UEM and user are looked at."""
    enrol(loop)
    until_phase(loop, phase)
    restore(loop)
    seen = holder(loop)
    assert seen.copy_.state is CopyState.PERHAPS
    assert seen.copy_.retention > 0
    assert Effect.LOOK_GONE in {want.effect for want in seen.wants}
    assert seen.look is not None


def test_the_copy_is_watched_to_its_end_again(loop: PureLoop) -> None:
    """Counted from the first answer after the restore; a completed delivery stays completed."""
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    before = holder(loop).copy_.gone_at or 0
    restore(loop)
    until(loop, lambda: (holder(loop).copy_.gone_at or 0) > before)
    assert delivery(loop).phase is Phase.COMPLETED


def test_open_requests_are_looked_up(loop: PureLoop) -> None:
    """They may have been granted or have ended since; nothing is asked again meanwhile."""
    loop.ca.asks_people = True
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.LOOK_REQUESTS)
    asked = set(loop.ca.requests)
    restore(loop)
    began = loop.now
    looks = looked(loop)
    until(loop, lambda: looked(loop) > looks)
    assert loop.now - began < MINUTE
    assert set(loop.ca.requests) == asked


def test_paused_after_a_restore_everything_is_looked_at_and_nothing_done(loop: PureLoop) -> None:
    """For longer than every deadline; resumed, the delivery goes on where it was."""
    enrol(loop)
    until(loop, lambda: delivery(loop).phase is Phase.HANDING_OVER)
    loop.held = brakes.pause(loop.held, None, loop.now, by="local:0", reason="restored")
    restore(loop)
    seen, uploads = len(loop.audited), len(loop.uem.ledger)
    until(loop, lambda: holder(loop).copy_.state is CopyState.GONE, most=2000)
    loop.pass_time(ROUTE.phase_deadline + DAY)
    for _ in range(20):
        loop.step()
    actions = {entry.action for entry in loop.audited[seen:]}
    assert {"holder.looked_up", "copy.looked", "copy.gone"} <= actions
    assert (len(loop.uem.ledger), holder(loop).running) == (uploads, None)
    assert delivery(loop).open
    loop.held = brakes.resume(loop.held, None, loop.now)
    until_phase(loop, Phase.COMPLETED)
    assert len(loop.uem.ledger) == uploads + 1


def looked(loop: PureLoop) -> int:
    return sum(entry.action == "recovery.looked" for entry in loop.audited)
