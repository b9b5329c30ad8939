"""Looks at a user that leave devices out: no device leaves by that, and none is overlooked."""

import pytest

from connector.core.policy import OtherDevices
from connector.core.states import Phase
from tests.core.names import ROUTE, device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import delivery, enrol, holder, until


@pytest.fixture
def loop() -> PureLoop:
    loop = PureLoop()
    loop.ca.issue("user1")
    loop.ca.issue("user2")
    return loop


def trouble(loop: PureLoop) -> str:
    found = delivery(loop).trouble
    return found.code if found else ""


def test_a_device_that_a_look_leaves_out_has_not_left(loop: PureLoop) -> None:
    """It is looked at by itself, is still there, and is served when the search shows it again."""
    enrol(loop)
    loop.uem.left_out.add("10")
    until(loop, lambda: trouble(loop) == "UEM-009")
    assert device_key("10") in holder(loop).devices
    assert not loop.uem.ledger
    loop.uem.left_out.clear()
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert not holder(loop).history


def test_a_known_device_that_is_left_out_keeps_its_say(loop: PureLoop) -> None:
    """It must not get keys; that a search does not show it is no reason to send them."""
    held = ROUTE.model_copy(update={"other_devices": OtherDevices.HOLD})
    loop.routes = {ROUTE.name: held}
    enrol(loop, "11")
    loop.run_out()
    loop.uem.phones["11"].compromised = True
    loop.uem.left_out.add("11")
    uploads = len(loop.uem.ledger)
    enrol(loop, "10")
    until(loop, lambda: delivery(loop).phase is Phase.FAILED, most=4000)
    assert len(loop.uem.ledger) == uploads
    assert "UEM-009" in (delivery(loop).why or "")


@pytest.mark.parametrize("end", ["unenrolled", "deleted", "given away"])
def test_a_device_that_has_left_holds_nobody_up(loop: PureLoop, end: str) -> None:
    """The UEM says so of the device itself, although no event announced it."""
    enrol(loop, "11")
    loop.run_out()
    if end == "deleted":
        del loop.uem.phones["11"]
    elif end == "given away":
        loop.uem.phones["11"].user = "2"
    else:
        loop.uem.phones["11"].enrolled = False
    enrol(loop, "10")
    before = loop.now
    until(loop, lambda: delivery(loop).phase is Phase.AWAITING_PURGE)
    assert device_key("11") not in holder(loop).devices
    assert loop.now - before < 600_000
