"""A device that ends without the set, beside others that have it."""

import pytest

from connector.core.events import DeviceUnenrolled, RetryRequested
from connector.core.holder.operator_commands import can_retry, discloses
from connector.core.model import DAY, DeviceEvidence, ProfileStatus
from connector.core.states import DevicePhase, Phase
from tests.core.names import device_key
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase
from tests.core.test_pushes import PUSHED, Pushing, entry

ONE, OTHER = device_key("10"), device_key("11")


class OneFails(Pushing):
    """The profile cannot be installed on device 11."""

    fails = True

    def changed(self, seen: DeviceEvidence) -> DeviceEvidence:
        if seen.device != "11" or not self.fails:
            return seen
        return seen.model_copy(update={"profile": ProfileStatus.ERROR, "certificate_seen_at": None})


@pytest.fixture
def left_behind() -> OneFails:
    loop = OneFails(routes={"corp": PUSHED.model_copy(update={"retention": 9 * DAY})})
    loop.ca.issue("user1")
    enrol(loop, "10")
    enrol(loop, "11")
    until(loop, lambda: {ONE, OTHER} <= holder(loop).devices.keys())
    return loop


def completed(loop: OneFails) -> None:
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert entry(loop).phase is DevicePhase.INSTALLED
    assert entry(loop, "11").phase is DevicePhase.NOT_INSTALLED


def test_its_code_stays_when_the_delivery_is_completed(left_behind: OneFails) -> None:
    """The holder was listed as on a good day, without a code."""
    completed(left_behind)
    assert holder(left_behind).cause == "INS-001"


def test_it_is_audited_and_counted(left_behind: OneFails) -> None:
    """With its code; and the device that has the set beside it."""
    completed(left_behind)
    (told,) = [one for one in left_behind.audited if one.action == "device.not_installed"]
    assert (told.outcome, told.reason) == ("INS-001", "installation failed")
    assert (told.delivery, told.details["device"]) == (delivery(left_behind).id, OTHER)
    ended = [one.labels for one in left_behind.moments if one.name == "device_ended"]
    assert {"outcome": "installed", "error_code": ""} in ended
    assert {"outcome": "not_installed", "error_code": "INS-001"} in ended
    assert len(ended) == 2


def test_every_end_without_the_set_is_audited(left_behind: OneFails) -> None:
    """Also at the deadline of a device that no look said anything of, and of a failed delivery."""
    for phone in left_behind.uem.phones.values():
        phone.online = False
    left_behind.run_out()
    told = [one for one in left_behind.audited if one.action == "device.not_installed"]
    assert sorted(str(one.details["device"]) for one in told) == [ONE, OTHER]
    assert all(one.outcome.startswith(("INS-", "DLV-")) for one in told)
    for key, device in delivery(left_behind).devices.items():
        assert device.code == next(one.outcome for one in told if one.details["device"] == key)


def test_a_device_that_left_is_in_the_way_of_nothing(left_behind: OneFails) -> None:
    """Its code goes with it, although the delivery has ended."""
    completed(left_behind)
    left_behind.uem.phones["11"].enrolled = False
    left_behind.send(OTHER, DeviceUnenrolled(why="retired"))
    until(left_behind, lambda: OTHER not in holder(left_behind).devices)
    assert holder(left_behind).cause is None


def test_a_retry_pushes_while_the_copy_lives(left_behind: OneFails) -> None:
    """No key leaves escrow for it."""
    until(left_behind, lambda: delivery(left_behind).phase is Phase.AWAITING_PURGE, most=2000)
    assert holder(left_behind).cause == "INS-001"
    assert not discloses(holder(left_behind), left_behind.now)
    left_behind.fails = False
    left_behind.send(HOLDER, RetryRequested(by="local:0", reason="mended"))
    until(left_behind, lambda: entry(left_behind, "11").phase is DevicePhase.INSTALLED)
    assert len(left_behind.uem.ledger) == 1
    assert holder(left_behind).cause is None


def test_a_retry_after_the_end_is_a_new_delivery(left_behind: OneFails) -> None:
    """It says so before; the device gets the set."""
    completed(left_behind)
    assert can_retry(holder(left_behind))
    assert discloses(holder(left_behind), left_behind.now)
    left_behind.fails = False
    left_behind.send(HOLDER, RetryRequested(by="local:0", reason="mended"))
    until_phase(left_behind, Phase.COMPLETED)
    left_behind.run_out()
    assert entry(left_behind, "11").phase is DevicePhase.INSTALLED
    assert len(left_behind.uem.ledger) == 2
    assert holder(left_behind).cause is None
