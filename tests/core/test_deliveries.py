"""A holder's deliveries: opened, joined, superseded, ended."""

import pytest

from connector.core.events import CancelRequested, DeviceUnenrolled, RetryRequested
from connector.core.facts import Permitted
from connector.core.holder import TRANSITIONS, advance
from connector.core.model import DAY, HOUR, SECOND, RequestState
from connector.core.policy import Mode, OtherDevices, UnknownSet
from connector.core.states import ENDED, DevicePhase, Effect, Phase
from tests.core.names import ROUTE, device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import (
    HOLDER,
    delivery,
    enrol,
    holder,
    redeliver,
    renew,
    until,
    until_phase,
)


def test_an_enrolment_ends_installed_and_the_copy_gone(loop: PureLoop) -> None:
    """The whole way, with nothing in it."""
    enrol(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert delivery(loop).devices[device_key("10")].phase is DevicePhase.INSTALLED
    assert len(loop.uem.ledger) == 1


def test_a_second_device_joins_the_open_delivery(loop: PureLoop) -> None:
    """The same set is not uploaded twice for it."""
    enrol(loop, online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)
    enrol(loop, "11")
    until(loop, lambda: len(delivery(loop).devices) == 2)
    assert holder(loop).history == ()
    assert len(loop.uem.ledger) == 1


def test_a_device_that_comes_while_the_copy_is_young_goes_back_to_installing(
    loop: PureLoop,
) -> None:
    """From waiting for the purge, without another upload."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    enrol(loop, "11")
    until(loop, lambda: len(delivery(loop).devices) == 2)
    assert delivery(loop).phase is Phase.AWAITING_INSTALL
    loop.run_out()
    assert len(loop.uem.ledger) == 1


def test_a_device_that_comes_when_the_copy_is_old_gets_another_upload(loop: PureLoop) -> None:
    """The copy would not live long enough."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.pass_time(5 * HOUR)
    enrol(loop, "11")
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert len(loop.uem.ledger) == 2


@pytest.mark.parametrize("phase", sorted(set(Phase) - ENDED - {Phase.AWAITING_APPROVAL}))
def test_a_changed_set_supersedes_in_every_phase(loop: PureLoop, phase: Phase) -> None:
    """The UEM's last set is the newest, wherever the renewal found the delivery."""
    loop.ca.asks_people = phase is Phase.RECOVERING
    enrol(loop, online=phase is not Phase.AWAITING_INSTALL)
    until_phase(loop, phase)
    first = delivery(loop).id
    renew(loop)
    loop.ca.asks_people = False
    for key, (owner, request) in loop.ca.requests.items():
        loop.ca.requests[key] = (owner, request.model_copy(update={"state": RequestState.GRANTED}))
    loop.uem.phones["10"].online = True
    loop.run_out()
    expected = loop.expected(holder(loop))
    assert expected is not None
    assert loop.uem.ledger[-1].digest == expected.digest
    assert delivery(loop).phase is Phase.COMPLETED
    if phase is not Phase.PLANNING:
        old = next(one for one in holder(loop).history if one.id == first)
        assert (old.phase, old.why) == (Phase.CANCELLED, "superseded")


def test_a_superseded_delivery_looks_at_installed_devices_again(loop: PureLoop) -> None:
    """Having had the old set proves nothing for the new one."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    renew(loop)
    until(loop, lambda: bool(holder(loop).history))
    assert delivery(loop).devices[device_key("10")].phase is DevicePhase.WAITING
    assert delivery(loop).devices[device_key("10")].not_installed_seen_at is None


def test_a_delivery_all_of_whose_devices_left_is_cancelled(loop: PureLoop) -> None:
    """And no key is fetched without a device."""
    enrol(loop)
    until_phase(loop, Phase.HANDING_OVER)
    loop.uem.phones["10"].enrolled = False
    loop.send(device_key("10"), DeviceUnenrolled())
    loop.run_out()
    assert (delivery(loop).phase, delivery(loop).why) == (Phase.CANCELLED, "left")
    assert loop.uem.ledger == []


def test_the_last_waiting_device_may_leave_in_a_second_round(loop: PureLoop) -> None:
    """Planning for a device that is gone does not go round for ever; the others have it."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.pass_time(5 * HOUR)
    enrol(loop, "11")
    until_phase(loop, Phase.PLANNING)
    loop.uem.phones["11"].enrolled = False
    loop.send(device_key("11"), DeviceUnenrolled())
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert len(loop.uem.ledger) == 1


def test_a_device_that_never_comes_is_not_installed_and_says_why(loop: PureLoop) -> None:
    """The copy expires, the deadline passes, and the delivery fails in public."""
    enrol(loop, online=False)
    loop.run_out()
    assert delivery(loop).phase is Phase.FAILED
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "DLV-002"
    assert delivery(loop).devices[device_key("10")].phase is DevicePhase.NOT_INSTALLED


def test_a_device_seen_after_the_copy_expired_gets_another_round(loop: PureLoop) -> None:
    """Planned again, once it has shown that it is there."""
    enrol(loop, online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)
    loop.pass_time(8 * HOUR)
    loop.uem.phones["10"].online = True
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert len(loop.uem.ledger) == 2


def test_no_deadline_ends_anything_while_deadlines_are_held(loop: PureLoop) -> None:
    """During a pause and within a day after it (promise 10)."""
    enrol(loop, online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)
    loop.held = loop.held.model_copy(update={"paused_since": loop.now, "all_paused": True})
    for _ in range(200):
        if not loop.step():
            loop.pass_time(HOUR)
    assert delivery(loop).open
    loop.held = loop.held.model_copy(
        update={"paused_since": None, "all_paused": False, "released_at": loop.now}
    )
    released = loop.now
    loop.run_out()
    assert not delivery(loop).open
    assert (delivery(loop).ended_at or 0) >= released + DAY


def test_too_many_automatic_deliveries_stop_visibly(loop: PureLoop) -> None:
    """A CA that renews without end does not make us upload without end."""
    route = ROUTE.model_copy(update={"automatic_per_day": 2})
    loop.routes["corp"] = route
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    renew(loop)
    until(loop, lambda: len(holder(loop).history) == 1)
    until_phase(loop, Phase.AWAITING_PURGE)
    renew(loop)
    until(loop, lambda: len(holder(loop).history) == 2)
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "DLV-003"
    assert trouble.detail == "more than 2 in 24 hours: 2 by renewal, 1 by enrolment"
    assert len(loop.uem.ledger) == 2


def test_observe_plans_and_fetches_nothing(loop: PureLoop) -> None:
    """Neither a request nor a hand-over is begun."""
    loop.routes["corp"] = ROUTE.model_copy(update={"mode": Mode.OBSERVE})
    enrol(loop)
    loop.run_out()
    assert (delivery(loop).phase, delivery(loop).why) == (Phase.CANCELLED, "observed")
    assert delivery(loop).digest is not None
    assert loop.ca.requests == {}


@pytest.mark.parametrize("phase", [Phase.RECOVERING, Phase.HANDING_OVER])
def test_observe_holds_a_delivery_that_is_under_way(loop: PureLoop, phase: Phase) -> None:
    """The mode counts at once, not only for what is planned after it."""
    enrol(loop)
    until_phase(loop, phase)
    loop.routes["corp"] = ROUTE.model_copy(update={"mode": Mode.OBSERVE})
    loop.run_out()
    assert delivery(loop).why == "observed"
    assert loop.uem.ledger == []


def test_an_unknown_set_is_replaced_only_by_a_person(loop: PureLoop) -> None:
    """Where the route says so, the first upload is asked for by hand."""
    loop.routes["corp"] = ROUTE.model_copy(update={"unknown_set": UnknownSet.REFUSE})
    enrol(loop)
    loop.run_out()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "IDN-004"
    redeliver(loop)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED


def test_another_unhealthy_device_holds_or_is_accepted_as_decided(loop: PureLoop) -> None:
    """The UEM would send the keys to all of the user's devices."""
    enrol(loop, "10")
    loop.uem.phones["11"] = loop.uem.phones["10"].__class__(enrolled=True, compromised=True)
    for _ in range(30):
        loop.step()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "USR-005"
    loop.routes["corp"] = ROUTE.model_copy(update={"other_devices": OtherDevices.ACCEPT})
    until_phase(loop, Phase.AWAITING_INSTALL)


def test_a_removed_route_ends_the_delivery_with_a_code(loop: PureLoop) -> None:
    """It does not wait for an effect that no owner can start any more."""
    enrol(loop)
    until_phase(loop, Phase.RECOVERING)
    loop.routes.clear()
    loop.run_out()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "USR-007"


def test_a_permit_that_came_late_is_preceded_by_another_look(loop: PureLoop) -> None:
    """Keys leave escrow only after a look that is fresh (look before you fetch)."""
    enrol(loop)
    until(
        loop,
        lambda: holder(loop).delivery is not None and delivery(loop).step is Effect.HAND_OVER,
    )
    loop.pass_time(ROUTE.look_fresh + SECOND)
    loop.apply(HOLDER, Permitted(Effect.HAND_OVER))
    assert holder(loop).running is None
    assert delivery(loop).step is Effect.LOOK_UP


def test_a_permit_for_what_is_not_asked_for_starts_nothing(loop: PureLoop) -> None:
    """No act begins because of a permit alone."""
    enrol(loop)
    until_phase(loop, Phase.PLANNING)
    state = holder(loop)
    for effect in (Effect.BEGIN, Effect.HAND_OVER, Effect.PUSH, Effect.CLEAN_UP):
        assert advance(state, Permitted(effect), loop.now, loop.rules()).state is state


def test_a_person_cancels_and_retries(loop: PureLoop) -> None:
    """What ended by hand is opened again by hand, linked to the old one."""
    loop.ca.asks_people = True
    enrol(loop)
    until_phase(loop, Phase.RECOVERING)
    loop.send(HOLDER, CancelRequested(by="local:0"))
    loop.run_out()
    first = delivery(loop)
    assert (first.phase, first.why) == (Phase.CANCELLED, "by hand")
    loop.ca.asks_people = False
    loop.send(HOLDER, RetryRequested(by="local:0"))
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert delivery(loop).previous == first.id


def test_every_phase_that_has_not_ended_can_end() -> None:
    """The table itself has no dead end."""
    ways = {start: {end for begin, end in TRANSITIONS if begin is start} for start in Phase}
    for start in set(Phase) - ENDED - {Phase.AWAITING_APPROVAL}:
        reached, edge = {start}, {start}
        while edge:
            edge = {end for begin in edge for end in ways[begin]} - reached
            reached |= edge
        assert reached & ENDED
    assert not any(begin in ENDED for begin, _ in TRANSITIONS)
