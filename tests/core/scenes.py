"""Steps that the tests of the holder share: bring a loop to a place, and look at what is there."""

from collections.abc import Callable

from connector.core.events import CertificatesChanged, DeliveryRequested, DeviceEnrolled
from connector.core.model import Millis
from connector.core.states import Delivery, HolderState, Phase
from tests.core.names import device_key, holder_key, person_key
from tests.core.pure_loop import PureLoop
from tests.core.upstreams import Phone

HOLDER = holder_key("1")


def enrol(loop: PureLoop, device: str = "10", user: str = "1", *, online: bool = True) -> None:
    loop.uem.phones[device] = Phone(user=user, enrolled=True, online=online)
    loop.send(device_key(device), DeviceEnrolled(platform="apple"))


def renew(loop: PureLoop, person: str = "user1") -> None:
    loop.ca.issue(person)
    loop.send(person_key(person), CertificatesChanged(what="renewed"))


def redeliver(loop: PureLoop) -> None:
    loop.send(HOLDER, DeliveryRequested(by="local:0", reason="asked"))


def holder(loop: PureLoop, user: str = "1") -> HolderState:
    state = loop.states[holder_key(user)]
    assert isinstance(state, HolderState)
    return state


def delivery(loop: PureLoop, user: str = "1") -> Delivery:
    found = holder(loop, user).delivery
    assert found is not None
    return found


def until(loop: PureLoop, holds: Callable[[], bool], most: int = 400) -> None:
    """Turn the loop, and let time pass where nothing is due, until something holds."""
    for _ in range(most):
        if HOLDER in loop.states and holds():
            return
        if not loop.step():
            loop.pass_time(max(min(want.due for _, want in loop.wanted()) - loop.now, 0))
    raise AssertionError(f"never came true; the holder is {loop.states.get(HOLDER)}")


def until_phase(loop: PureLoop, phase: Phase) -> None:
    until(loop, lambda: holder(loop).delivery is not None and delivery(loop).phase is phase)


def step_clock(loop: PureLoop, by: Millis) -> None:
    """Journal time steps; the UEM's clock, the boot's clock and what is under way do not."""
    loop.now, loop.skew, loop.behind = loop.now + by, loop.skew - by, loop.behind + by
    loop.late_uploads = [(one[0] + by, *one[1:]) for one in loop.late_uploads]
    loop.may_upload_until = {key: at + by for key, at in loop.may_upload_until.items()}
    loop.uem.ledger = [one._replace(real=one.real + by) for one in loop.uem.ledger]
