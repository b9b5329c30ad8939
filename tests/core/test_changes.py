"""A look at the CA for a change: what counts as one, and what does not."""

import pytest

from connector.core.events import CancelRequested, CertificatesChanged, DeviceUnenrolled
from connector.core.model import HOUR
from connector.core.states import CopyState, Phase
from tests.core.names import ROUTE, device_key, person_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase


def hint(loop: PureLoop) -> None:
    """The CA says that something changed; whether it did, only a look can tell."""
    checks = looks(loop)
    loop.send(person_key("user1"), CertificatesChanged(what="renewed"))
    until(loop, lambda: looks(loop) > checks)


def looks(loop: PureLoop) -> int:
    return sum(entry.action == "escrow.checked" for entry in loop.audited)


def changes(loop: PureLoop) -> int:
    return sum(entry.action == "certificates.changed" for entry in loop.audited)


@pytest.mark.parametrize("phase", [Phase.AWAITING_INSTALL, Phase.AWAITING_PURGE, Phase.COMPLETED])
def test_the_same_set_is_no_change(loop: PureLoop, phase: Phase) -> None:
    enrol(loop, online=phase is not Phase.AWAITING_INSTALL)
    until_phase(loop, phase)
    before = delivery(loop).id
    hint(loop)
    assert (changes(loop), delivery(loop).id) == (0, before)


def test_a_set_that_cannot_be_chosen_is_a_change_once(loop: PureLoop) -> None:
    """The delivery that it fails says why; the same reason at the next look is no news."""
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    loop.ca.revoke("user1", loop.now)
    hint(loop)
    until_phase(loop, Phase.FAILED)
    failed = delivery(loop)
    hint(loop)
    assert (changes(loop), delivery(loop).id) == (1, failed.id)


def test_a_set_that_can_be_chosen_again_is_a_change(loop: PureLoop) -> None:
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    loop.ca.revoke("user1", loop.now)
    hint(loop)
    until_phase(loop, Phase.FAILED)
    loop.ca.issue("user1")
    hint(loop)
    until_phase(loop, Phase.COMPLETED)
    assert changes(loop) == 2


def test_an_inactive_user_gets_nothing(loop: PureLoop) -> None:
    loop.uem.inactive.add("1")
    enrol(loop)
    until_phase(loop, Phase.FAILED)
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert (trouble.code, loop.uem.ledger) == ("USR-002", [])


def test_a_device_not_seen_since_the_copy_expired_gets_no_further_round(loop: PureLoop) -> None:
    """It was there while the copy was, and did not take it; another copy would wait in vain."""
    enrol(loop, online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)
    loop.pass_time(HOUR)
    loop.uem.phones["10"].last_seen = loop.uem.now
    loop.run_out()
    assert (delivery(loop).phase, len(loop.uem.ledger)) == (Phase.FAILED, 1)
    assert delivery(loop).devices[device_key("10")].expired_rounds == 0


def test_a_delivery_is_kept_while_its_copy_may_be_there(loop: PureLoop) -> None:
    """Its end is watched for, and its age and alarm are counted from it."""
    loop.routes["corp"] = ROUTE.model_copy(update={"history_kept": HOUR})
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.send(HOLDER, CancelRequested(by="local:0", reason="asked"))
    loop.uem.phones["10"].enrolled = False
    loop.send(device_key("10"), DeviceUnenrolled())
    until(loop, lambda: not holder(loop).devices)
    until(loop, lambda: loop.now > (delivery(loop).ended_at or loop.now) + HOUR)
    assert holder(loop).copy_.state is not CopyState.GONE
    until(loop, lambda: holder(loop).copy_.state is CopyState.GONE)
    until(loop, lambda: holder(loop).delivery is None)
