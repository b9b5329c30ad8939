"""What has ended leaves after a time; what protects the next delivery stays."""

import pytest

from connector.core.events import (
    CertificatesChanged,
    DeviceUnenrolled,
    HolderForgotten,
    HolderRegistered,
    IdentityForgotten,
)
from connector.core.model import DAY
from connector.core.states import PersonState
from tests.core.names import ROUTE, device_key, holder_key, person_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import enrol, holder, renew

DEVICE, HOLDER, PERSON = device_key("10"), holder_key("1"), person_key("user1")


@pytest.fixture
def ended(loop: PureLoop) -> PureLoop:
    """A holder whose keys were delivered, and whose only device left since."""
    enrol(loop)
    loop.run_out()
    loop.uem.phones["10"].enrolled = False
    loop.send(DEVICE, DeviceUnenrolled())
    loop.run_out()
    return loop


def wait(loop: PureLoop, days: int) -> None:
    loop.pass_time(days * DAY)
    for _ in range(50):
        loop.step()


def test_a_device_that_left_is_forgotten_in_time(ended: PureLoop) -> None:
    """Until then it can be looked at; when it comes back after that, it is new."""
    kept = ended.rules().ended_kept // DAY
    wait(ended, kept - 1)
    assert DEVICE in ended.states
    wait(ended, 2)
    assert DEVICE not in ended.states
    enrol(ended)
    ended.run_out()
    assert DEVICE in holder(ended).devices


def test_an_enrolled_device_is_never_forgotten(loop: PureLoop) -> None:
    """However long ago it enrolled, and its holder keeps the last delivery."""
    enrol(loop)
    loop.run_out()
    wait(loop, 400)
    assert DEVICE in loop.states
    assert holder(loop).delivery is not None


def test_the_pin_outlives_the_deliveries(ended: PureLoop) -> None:
    """Who is who, and which generations were delivered, only a person forgets."""
    assert holder(ended).delivery is not None
    wait(ended, ROUTE.history_kept // DAY + 1)
    left = holder(ended)
    assert left.delivery is None
    assert left.history == ()
    assert left.identity is not None
    assert left.delivered
    assert left.wants == ()


def test_a_person_forgets_a_holder_of_whom_nothing_is_left(ended: PureLoop) -> None:
    """At once, with the deliveries that ended; the person at the CA lists them no more."""
    ended.send(HOLDER, IdentityForgotten(by="local:0", reason="left the company"))
    ended.run_out()
    assert HOLDER not in ended.states
    assert HOLDER not in person(ended).holders


def person(loop: PureLoop) -> PersonState:
    state = loop.states[PERSON]
    assert isinstance(state, PersonState)
    return state


@pytest.mark.parametrize("known_before", [True, False])
def test_a_person_without_holders_is_forgotten_in_time(
    ended: PureLoop, *, known_before: bool
) -> None:
    """With the last holder gone, and where only the CA ever spoke of them."""
    loop = ended if known_before else PureLoop()
    if known_before:
        loop.send(HOLDER, IdentityForgotten(by="local:0", reason="left the company"))
    else:
        loop.send(PERSON, CertificatesChanged(what="renewed"))
    loop.run_out()
    kept = loop.rules().ended_kept // DAY
    wait(loop, kept - 1)
    loop.send(PERSON, CertificatesChanged(what="renewed"))
    loop.step()
    wait(loop, kept - 1)
    assert PERSON in loop.states, "each word of the CA begins the time again"
    wait(loop, 2)
    assert PERSON not in loop.states


def test_a_person_who_was_forgotten_is_known_again(loop: PureLoop) -> None:
    """Meanwhile the CA's news reach no holder; a holder who registers gets those that follow."""
    loop.send(PERSON, CertificatesChanged(what="renewed"))
    wait(loop, loop.rules().ended_kept // DAY + 1)
    loop.send(PERSON, CertificatesChanged(what="renewed"))
    loop.step()
    assert not loop.queue
    loop.send(PERSON, HolderRegistered(holder=HOLDER))
    loop.step()
    assert (person(loop).holders, person(loop).unused_since) == ((HOLDER,), None)
    wait(loop, 400)
    loop.send(PERSON, CertificatesChanged(what="renewed"))
    loop.step()
    assert [event.subject for event in loop.queue] == [HOLDER]


def test_no_person_is_forgotten_while_deadlines_are_held(loop: PureLoop) -> None:
    loop.send(PERSON, CertificatesChanged(what="renewed"))
    loop.step()
    loop.held = loop.held.model_copy(update={"all_paused": True, "paused_since": loop.now})
    wait(loop, 400)
    assert PERSON in loop.states


def test_a_holder_who_comes_back_is_told_of_renewals_again(ended: PureLoop) -> None:
    """The events of the second life are not taken for those of the first."""
    ended.send(HOLDER, IdentityForgotten(by="local:0", reason="left the company"))
    ended.run_out()
    enrol(ended)
    ended.run_out()
    uploads = len(ended.uem.ledger)
    renew(ended)
    ended.run_out()
    assert HOLDER in getattr(ended.states[person_key("user1")], "holders", ())
    assert len(ended.uem.ledger) == uploads + 1


def test_nothing_is_forgotten_while_deadlines_are_held(ended: PureLoop) -> None:
    """Nor while the clock is in doubt: a jump must not erase what people may look for."""
    ended.held = ended.held.model_copy(update={"all_paused": True, "paused_since": ended.now})
    wait(ended, 400)
    assert DEVICE in ended.states
    assert holder(ended).delivery is not None
    assert not any(isinstance(one.body, HolderForgotten) for one in ended.queue)
