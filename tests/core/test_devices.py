"""The device's own small life."""

from itertools import pairwise

import pytest

from connector.core.errors import Family, Fault
from connector.core.events import (
    CertificatesChanged,
    DeviceChanged,
    DeviceEnrolled,
    DeviceJoined,
    DeviceUnenrolled,
)
from connector.core.facts import DeviceLookedUp, Elapsed
from connector.core.model import DAY, HOUR, SECOND, DeviceFacts
from connector.core.states import DeviceState, DeviceStatus, Effect, Phase
from connector.core.step import Moment
from tests.core.names import device_key, holder_key, person_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase
from tests.core.upstreams import Phone

DEVICE = device_key("10")


def device(loop: PureLoop) -> DeviceState:
    state = loop.states[DEVICE]
    assert isinstance(state, DeviceState)
    return state


def test_an_enrolled_device_finds_its_holder(loop: PureLoop) -> None:
    """The notification names the device for certain, its user not at all."""
    enrol(loop, "10", "2")
    until_told(loop)
    assert device(loop).status is DeviceStatus.ENROLLED
    assert device(loop).holder == holder_key("2")
    assert DEVICE in holder(loop, "2").devices


def until_told(loop: PureLoop) -> None:
    for _ in range(10):
        loop.step()


def test_a_device_that_changed_hands_tells_both(loop: PureLoop) -> None:
    """The one who had it, and the one who has it."""
    enrol(loop)
    until_told(loop)
    loop.uem.phones["10"] = Phone(user="2", enrolled=True)
    loop.send(DEVICE, DeviceChanged(what="user"))
    until_told(loop)
    assert DEVICE not in holder(loop, "1").devices
    assert DEVICE in holder(loop, "2").devices
    assert delivery(loop, "1").why == "left"


def test_a_device_that_left_is_understood_without_its_user(loop: PureLoop) -> None:
    """It remembers whose it was."""
    enrol(loop)
    until_told(loop)
    loop.uem.phones["10"].enrolled = False
    loop.send(DEVICE, DeviceUnenrolled(why="wiped"))
    until_told(loop)
    assert device(loop).status is DeviceStatus.LEFT
    assert holder(loop).devices == {}


def test_a_device_whose_enrolment_the_uem_shows_as_over_has_left_at_once(loop: PureLoop) -> None:
    """Unenrolled, wiped or retired."""
    loop.uem.phones["10"] = Phone(enrolled=False)
    loop.send(DEVICE, DeviceEnrolled())
    until_told(loop)
    assert device(loop).status is DeviceStatus.LEFT


@pytest.mark.parametrize(
    ("shown", "code"), [(None, "USR-006"), (Phone(on_the_way=True), "USR-008")]
)
def test_an_announced_device_that_the_uem_does_not_show_yet_is_looked_at_again(
    loop: PureLoop, shown: Phone | None, code: str
) -> None:
    """With back-off until the deadline; then it is lost, with a code."""
    loop.uem.phones["10"] = Phone(shown_from=loop.now + DAY, shown_before=shown, enrolled=True)
    loop.send(DEVICE, DeviceEnrolled())
    until_told(loop)
    assert device(loop).status is DeviceStatus.LOOKING
    loop.uem.phones["10"].shown_from = loop.now + 100 * DAY
    loop.run_out()
    assert device(loop).status is DeviceStatus.LOST
    assert loop.audited[-1].outcome == code
    looks = [entry.at for entry in loop.audited if entry.action == "device.looked_up"]
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert max(gaps[:4]) < HOUR < gaps[-1]


def test_a_device_that_is_shown_two_seconds_late_is_served(loop: PureLoop) -> None:
    loop.uem.phones["10"] = Phone(enrolled=True, shown_from=loop.now + 2 * SECOND)
    loop.send(DEVICE, DeviceEnrolled())
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED


@pytest.mark.parametrize("shown", [None, Phone(on_the_way=True)])
def test_a_device_that_is_lost_after_it_was_enrolled_leaves_its_holder(
    loop: PureLoop, shown: Phone | None
) -> None:
    """It was announced again, and the UEM does not show it any more until the deadline."""
    loop.uem.phones["10"] = Phone(enrolled=True, enrolled_on=loop.now)
    loop.send(DEVICE, DeviceEnrolled())
    loop.run_out()
    assert DEVICE in holder(loop).devices
    loop.pass_time(HOUR)
    loop.uem.phones["10"] = shown or Phone(deleted=True)
    loop.send(DEVICE, DeviceEnrolled())
    loop.run_out()
    assert device(loop).status is DeviceStatus.LOST
    assert device(loop).holder is None
    assert holder(loop).devices == {}


def test_a_device_whose_looks_failed_until_the_deadline_stays_with_its_holder(
    loop: PureLoop,
) -> None:
    """No source has reported that it left."""
    enrol(loop)
    loop.run_out()
    loop.down.add("uem")
    loop.send(DEVICE, DeviceEnrolled())
    until_told(loop)
    loop.pass_time(3 * DAY)
    loop.run_out()
    assert device(loop).status is DeviceStatus.LOST
    assert DEVICE in holder(loop).devices


def test_an_unenrolment_older_than_the_enrolment_is_looked_at_and_counted(loop: PureLoop) -> None:
    """A sender that swaps notifications ends no device that is enrolled."""
    enrol(loop)
    until_told(loop)
    moments = loop.moments
    loop.send(DEVICE, DeviceUnenrolled(), occurred_at=loop.now - 30 * SECOND)
    loop.run_out()
    assert device(loop).status is DeviceStatus.ENROLLED
    assert delivery(loop).phase is Phase.COMPLETED
    assert [one.labels for one in moments if one.name == "hint_outdated"] == [
        {"event": "device_unenrolled"}
    ]


def test_a_time_in_the_future_does_not_hide_a_later_enrolment(loop: PureLoop) -> None:
    """It counts as the moment of its receipt; also where an earlier version believed it."""
    loop.uem.phones["10"] = Phone(enrolled=True)
    loop.send(DEVICE, DeviceEnrolled(), occurred_at=loop.now + 365 * DAY)
    loop.run_out()
    assert (device(loop).enrolled_at or loop.now) < loop.now
    believed = loop.now + 365 * DAY
    known = holder(loop).devices[DEVICE].model_copy(update={"joined_at": believed})
    loop.states[HOLDER] = holder(loop).model_copy(update={"devices": {DEVICE: known}})
    loop.pass_time(DAY)
    enrol(loop)
    loop.run_out()
    assert delivery(loop).trigger == "device_replacement"


def test_an_enrolment_soon_after_another_is_told_apart_by_the_uems_own_time(loop: PureLoop) -> None:
    """Without an un-enrolment in between: the device is empty and needs the set once more."""
    enrol(loop)
    loop.uem.phones["10"].enrolled_on = loop.now
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.pass_time(60 * SECOND)
    loop.uem.phones["10"] = Phone(enrolled=True, enrolled_on=loop.now)
    loop.send(DEVICE, DeviceEnrolled())
    loop.run_out()
    assert loop.uem.phones["10"].installed == delivery(loop).digest
    assert [entry.action for entry in loop.audited].count("device.joined") == 2
    assert delivery(loop).devices[DEVICE].joined_at == device(loop).enrolled_at


@pytest.mark.parametrize("hours", [-5, 2])
def test_two_spellings_of_one_enrolment_with_and_without_a_zone_are_one(
    loop: PureLoop, hours: int
) -> None:
    """A local time without a zone reads as UTC, hours away from the other spelling."""
    loop.uem.phones["10"] = Phone(enrolled=True)
    loop.send(DEVICE, DeviceEnrolled(), occurred_at=loop.now + hours * HOUR)
    until_told(loop)
    loop.send(DEVICE, DeviceEnrolled())
    loop.run_out()
    assert holder(loop).history == ()


def test_a_look_that_fails_is_repeated_until_the_deadline(loop: PureLoop) -> None:
    """Then the device is lost, visibly, with the code of the last trouble."""
    loop.down.add("uem")
    enrol(loop)
    until_told(loop)
    assert device(loop).status is DeviceStatus.LOOKING
    loop.pass_time(3 * DAY)
    loop.run_out()
    assert device(loop).status is DeviceStatus.LOST
    trouble = device(loop).trouble
    assert trouble is not None
    assert trouble.code == "UEM-001"


def test_a_lost_device_is_not_looked_at_any_more(loop: PureLoop) -> None:
    """It only waits for the removal of its record."""
    loop.down.add("uem")
    enrol(loop)
    until_told(loop)
    loop.pass_time(4 * DAY)
    loop.apply(DEVICE, Elapsed())
    assert device(loop).status is DeviceStatus.LOST
    assert [want.effect for want in device(loop).wants] == [Effect.WAIT]


def test_a_device_deadline_that_is_held_back_moves_nothing_else(loop: PureLoop) -> None:
    """The next try stays when it was."""
    loop.down.add("uem")
    enrol(loop)
    until_told(loop)
    loop.pass_time(4 * DAY)
    loop.held = loop.held.model_copy(update={"paused_since": loop.now})
    before = next(w for w in device(loop).wants if w.effect is Effect.LOOK_UP_DEVICE)
    loop.apply(DEVICE, Elapsed())
    after = {want.effect: want.due for want in device(loop).wants}
    assert device(loop).status is DeviceStatus.LOOKING
    assert after[Effect.LOOK_UP_DEVICE] == before.due
    assert after[Effect.WAIT] > loop.now


def test_a_refused_look_loses_the_device_at_once(loop: PureLoop) -> None:
    """A person has to do something; another event opens it again."""
    enrol(loop)
    loop.step()
    refused = Fault(code="UEM-005", family=Family.PERMANENT)
    loop.apply(DEVICE, DeviceLookedUp(device(loop).version, refused))
    assert device(loop).status is DeviceStatus.LOST
    loop.send(DEVICE, DeviceChanged())
    until_told(loop)
    assert device(loop).status is DeviceStatus.ENROLLED


def test_a_stale_look_changes_nothing_and_is_audited(loop: PureLoop) -> None:
    """It was made for another version of the device."""
    enrol(loop)
    until_told(loop)
    before = device(loop)
    assert loop.apply(DEVICE, DeviceLookedUp(before.version - 1, None)) is before
    assert loop.audited[-1].action == "look.stale_outcome"
    assert loop.moments[-1] == Moment("stale_fact", {"subject": "device"})


def test_two_announcements_within_five_minutes_are_one_enrolment(loop: PureLoop) -> None:
    """There are two spellings of the enrolment event; a real one later is another."""
    enrol(loop)
    until_told(loop)
    before = delivery(loop).id
    loop.send(DEVICE, DeviceEnrolled())
    loop.run_out()
    assert delivery(loop).id == before
    loop.pass_time(HOUR)
    enrol(loop)
    loop.run_out()
    assert delivery(loop).trigger == "device_replacement"


def test_words_of_the_uem_that_are_too_long_are_cut(loop: PureLoop) -> None:
    """A user who chooses the name of the device must not stop the service."""
    facts = DeviceFacts(id="10", holder="1", enrolled=True, friendly_name="x" * 2000)
    loop.send(DEVICE, DeviceEnrolled())
    loop.step()
    loop.apply(DEVICE, DeviceLookedUp(device(loop).version, facts))
    assert len(device(loop).friendly_name) == 512
    joined = loop.queue[-1].body
    assert isinstance(joined, DeviceJoined)


def test_a_hint_for_a_holder_without_devices_fetches_nothing(loop: PureLoop) -> None:
    """There is no user to deliver to."""
    enrol(loop)
    until(loop, lambda: holder(loop).person_key is not None)
    loop.uem.phones["10"].enrolled = False
    loop.send(DEVICE, DeviceUnenrolled())
    until_told(loop)
    loop.send(person_key("user1"), CertificatesChanged())
    loop.run_out()
    assert holder(loop).check is None
    assert loop.uem.ledger == []
