"""What proves that the new set is on a device."""

from dataclasses import replace

import pytest

from connector.core.evidence import (
    ASSUMED,
    CERTIFICATE,
    CHANGED,
    CONFIRMED,
    judge,
    too_close,
)
from connector.core.facts import Acted, HandedOver
from connector.core.handover import Accepted
from connector.core.model import SECOND, DeviceEvidence, ProfileStatus, SubjectKey
from connector.core.states import DeviceInDelivery, DevicePhase, Phase
from tests.core.names import device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import delivery, enrol, holder, redeliver, until, until_phase

UPLOADED = 1_000_000
DEVICE = DeviceInDelivery(since=0, joined_at=0)


def seen(**facts: object) -> DeviceEvidence:
    return DeviceEvidence.model_validate({"device": "1", **facts})


def test_a_certificate_listed_a_second_after_the_upload_proves_it() -> None:
    """The Date header is cut to seconds, so a second is what makes it newer for sure."""
    evidence = seen(certificate_seen_at=UPLOADED + 1000)
    assert judge(evidence, DEVICE, UPLOADED, assume=False) == CERTIFICATE


def test_a_confirmed_install_a_second_after_the_upload_proves_it() -> None:
    """The event log is as good as the device's list."""
    evidence = seen(install_confirmed_at=UPLOADED + 1000)
    assert judge(evidence, DEVICE, UPLOADED, assume=False) == CONFIRMED


@pytest.mark.parametrize("member", ["certificate_seen_at", "install_confirmed_at"])
def test_what_is_from_the_second_of_the_upload_is_too_close(member: str) -> None:
    """It proves nothing, and asks for another push."""
    evidence = seen(**{member: UPLOADED + 999})
    assert judge(evidence, DEVICE, UPLOADED, assume=True) is None
    assert too_close(evidence, UPLOADED)


def test_what_is_older_than_the_upload_proves_nothing() -> None:
    """A status that was true before says nothing about the new set."""
    evidence = seen(
        certificate_seen_at=UPLOADED - 1,
        install_confirmed_at=UPLOADED - 1,
        profile=ProfileStatus.INSTALLED,
    )
    assert judge(evidence, DEVICE, UPLOADED, assume=False) is None
    assert not too_close(evidence, UPLOADED)


def test_a_profile_that_was_seen_missing_and_is_installed_now_proves_it() -> None:
    """A changed status is evidence of its own."""
    device = DEVICE.model_copy(update={"not_installed_seen_at": 1})
    evidence = seen(profile=ProfileStatus.INSTALLED)
    assert judge(evidence, device, UPLOADED, assume=False) == CHANGED


def test_the_weakest_evidence_counts_only_where_it_was_said_to() -> None:
    """Installed and seen after our push: assumed, and called so."""
    device = DEVICE.model_copy(update={"pushed_at": UPLOADED})
    evidence = seen(profile=ProfileStatus.INSTALLED, last_seen=UPLOADED + 1000)
    assert judge(evidence, device, UPLOADED, assume=False) is None
    assert judge(evidence, device, UPLOADED, assume=True) == ASSUMED


@pytest.mark.parametrize("list_", ["none", "empty", "whole"])
def test_earlier_generations_are_proven_only_by_the_devices_own_list(list_: str) -> None:
    """Without one they are assumed; one that does not show them says so, with a code."""
    loop = PureLoop()
    loop.ca.issue("user1")
    earlier = loop.ca.listed["user1"][0].fingerprint
    loop.ca.issue("user1")
    lists = {"none": None, "empty": frozenset[str](), "whole": frozenset({earlier})}
    loop.uem.listed = lists[list_]
    enrol(loop)
    loop.run_out()
    entry = delivery(loop).devices[device_key("10")]
    has = holder(loop).devices[device_key("10")].has
    assert has is not None
    assert entry.phase is DevicePhase.INSTALLED
    assert entry.code == ("INS-009" if list_ == "empty" else None)
    assert has.unseen == ((earlier,) if list_ == "empty" else ())
    assert has.assumed == ((earlier,) if list_ == "none" else ())


class NoDate(PureLoop):
    """A UEM whose answers to uploads have no Date header."""

    def answer(self, key: SubjectKey, fact: Acted) -> None:
        if isinstance(fact, HandedOver) and isinstance(fact.outcome, Accepted):
            fact = replace(fact, outcome=fact.outcome.model_copy(update={"server_time": None}))
        super().answer(key, fact)


def test_an_upload_without_a_date_is_not_dated_by_our_own_clock() -> None:
    """Evidence from before it is no proof, however far the UEM's clock is ahead of ours."""
    loop = NoDate(skew=4 * 60 * SECOND)
    loop.ca.issue("user1")
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.uem.phones["10"].online = False
    redeliver(loop)
    until_phase(loop, Phase.AWAITING_INSTALL)
    began = loop.now
    until(loop, lambda: loop.now > began + 10 * 60 * SECOND)
    waits = delivery(loop).devices[device_key("10")]
    assert waits.phase is DevicePhase.WAITING
    assert (delivery(loop).uploaded_server_time or 0) > began
    loop.uem.phones["10"].online = True
    until_phase(loop, Phase.COMPLETED)
