"""A delivery that is planned once more, for a late device, while the certificates changed."""

from connector.core.events import DeviceUnenrolled
from connector.core.model import HOUR
from connector.core.states import DevicePhase, Phase
from tests.core.names import device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import delivery, enrol, holder, renew, until_phase


def planned_again(loop: PureLoop) -> None:
    """Device 10 has everything; 11 comes when the copy is too old for it."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.pass_time(5 * HOUR)
    enrol(loop, "11")
    until_phase(loop, Phase.PLANNING)


def test_devices_that_had_another_set_get_the_new_one(loop: PureLoop) -> None:
    """They are waited for again, and their profile is pushed: the UEM does not do it by itself."""
    planned_again(loop)
    renew(loop)
    until_phase(loop, Phase.AWAITING_INSTALL)
    phases = {device.phase for device in delivery(loop).devices.values()}
    assert phases == {DevicePhase.WAITING}
    loop.run_out()
    expected = loop.expected(holder(loop))
    assert expected is not None
    assert delivery(loop).phase is Phase.COMPLETED
    assert {phone.installed for phone in loop.uem.phones.values()} == {expected.digest}


def test_devices_that_have_the_same_set_are_left_alone(loop: PureLoop) -> None:
    """Without a change nothing is asked of them again."""
    planned_again(loop)
    until_phase(loop, Phase.AWAITING_INSTALL)
    assert delivery(loop).devices[device_key("10")].phase is DevicePhase.INSTALLED


def test_a_change_is_seen_though_the_late_device_leaves_first(loop: PureLoop) -> None:
    """A retry that reported "planning would list anyway" was wrong."""
    planned_again(loop)
    renew(loop)
    loop.uem.phones["11"].enrolled = False
    loop.send(device_key("11"), DeviceUnenrolled())
    loop.run_out()
    expected = loop.expected(holder(loop))
    assert expected is not None
    assert loop.uem.phones["10"].installed == expected.digest
