"""What an announcement says of a device, and how long its times count."""

from connector.core.events import DeviceJoined, DeviceUnenrolled
from connector.core.states import DeviceState, DeviceStatus
from tests.core.names import device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, enrol, holder, until

DEVICE = device_key("10")


def test_what_a_second_announcement_says_of_a_device_is_kept(loop: PureLoop) -> None:
    """One enrolment, announced twice: the first may have come before the name was known."""
    enrol(loop)
    until(loop, lambda: DEVICE in holder(loop).devices)
    known = holder(loop).devices[DEVICE]
    again = DeviceJoined(device=DEVICE, enrolled_at=known.joined_at, friendly_name="alice's phone")
    loop.send(HOLDER, again)
    until(loop, lambda: holder(loop).devices[DEVICE].friendly_name == "alice's phone")
    assert holder(loop).devices[DEVICE].joined_at == known.joined_at


def test_the_times_of_an_enrolment_end_with_it(loop: PureLoop) -> None:
    """The next one is not compared with them."""
    enrol(loop)
    loop.run_out()
    loop.uem.phones["10"].enrolled = False
    loop.send(DEVICE, DeviceUnenrolled())
    loop.run_out()
    left = loop.states[DEVICE]
    assert isinstance(left, DeviceState)
    assert left.status is DeviceStatus.LEFT
    assert (left.enrolled_at, left.enrolled_on, left.unenrolled_at) == (None, None, None)
