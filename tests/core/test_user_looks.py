"""Looks at the user beside the delivery: the identity at each join, and sets that devices lost."""

from typing import Any

import pytest

from connector.core.errors import Family, Fault
from connector.core.events import DeviceChanged
from connector.core.facts import Looked, UserLookedUp
from connector.core.model import DAY, HOUR, SECOND, SubjectKey
from connector.core.states import DevicePhase, Effect, Phase, Trigger
from tests.core.names import ROUTE, device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import delivery, enrol, holder, until, until_phase


@pytest.mark.parametrize("phase", [Phase.AWAITING_INSTALL, Phase.AWAITING_PURGE])
def test_a_changed_identity_is_noticed_when_a_device_joins(loop: PureLoop, phase: Phase) -> None:
    """The UEM sends the set to the device by itself, whichever user it has then."""
    enrol(loop, online=phase is not Phase.AWAITING_INSTALL)
    until_phase(loop, phase)
    loop.uem.mails["1"] = "user2@example.com"
    enrol(loop, "11")
    until_phase(loop, Phase.FAILED)
    identity, trouble = holder(loop).identity, delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "IDN-001"
    assert identity is not None
    assert identity.conflicting is not None


def test_a_device_that_joins_the_same_person_is_waited_for(loop: PureLoop) -> None:
    """The look beside the delivery does not disturb it."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    enrol(loop, "11")
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert delivery(loop).devices[device_key("11")].phase is DevicePhase.INSTALLED
    assert len(loop.uem.ledger) == 1


def lost(loop: PureLoop) -> None:
    """The phone's profile is taken off it; the UEM says only that something changed."""
    loop.uem.phones["10"].installed = None
    loop.send(device_key("10"), DeviceChanged(what="compliance"))


def test_a_lost_set_is_delivered_again(loop: PureLoop) -> None:
    """A hint about the device is enough, though it names neither profile nor certificate."""
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    loop.uem.copies.clear()  # purged
    lost(loop)
    until(loop, lambda: bool(holder(loop).history))
    assert delivery(loop).trigger is Trigger.REDELIVERY
    assert delivery(loop).devices[device_key("10")].code == "INS-008"
    assert any(entry.action == "device.set_lost" for entry in loop.audited)
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert loop.uem.phones["10"].installed == delivery(loop).digest
    assert len(loop.uem.ledger) == 2


def test_a_device_that_sleeps_has_lost_nothing(loop: PureLoop) -> None:
    """Its profile is out of date, say: it is looked at until it was seen."""
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    loop.uem.copies.clear()
    loop.uem.phones["10"].online = False
    lost(loop)
    for _ in range(30):
        if not loop.step():
            loop.pass_time(HOUR)
    assert holder(loop).devices[device_key("10")].missing_since is not None
    assert not holder(loop).history
    looked = [entry.at for entry in loop.audited if entry.action == "holder.looked_up"]
    assert looked[-1] - looked[-2] >= 4 * HOUR
    loop.uem.phones["10"].online = True
    until(loop, lambda: bool(holder(loop).history))


def test_a_device_that_sleeps_for_ever_is_looked_at_less_and_less(loop: PureLoop) -> None:
    """Daily until a delivery's deadline, then ever more seldom; a notification brings a look."""
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    loop.uem.copies.clear()
    loop.uem.phones["10"].online = False
    lost(loop)
    until(loop, lambda: loop.now > loop.uem.ledger[-1].at + 1000 * DAY, most=4000)
    while loop.step():
        continue
    loop.pass_time(5 * DAY)
    looked = [entry.at for entry in loop.audited if entry.action == "holder.looked_up"]
    assert len(looked) < 60
    assert looked[-1] - looked[-2] > 60 * DAY
    loop.uem.phones["10"].online = True
    loop.send(device_key("10"), DeviceChanged(what="compliance"))
    back = loop.now
    until(loop, lambda: len(loop.uem.ledger) > 1)
    assert loop.now < back + DAY


def test_a_profile_that_is_missing_for_a_moment_is_not_lost(loop: PureLoop) -> None:
    """It is being installed again, as the next look shows."""
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    digest = loop.uem.phones["10"].installed
    loop.uem.copies.clear()
    lost(loop)
    until(loop, lambda: holder(loop).devices[device_key("10")].missing_since is not None)
    loop.uem.phones["10"].installed = digest
    loop.run_out()
    assert len(loop.uem.ledger) == 1


def test_many_hints_lead_to_few_looks(loop: PureLoop) -> None:
    """A fleet whose compliance is reported every minute is not looked at every minute."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    began, looks = loop.now, len(loop.audited)
    while loop.now < began + HOUR:
        loop.send(device_key("10"), DeviceChanged(what="compliance"))
        loop.pass_time(60 * SECOND)
        while loop.step():
            pass
    looked = [entry for entry in loop.audited[looks:] if entry.action == "holder.looked_up"]
    assert 1 <= len(looked) <= HOUR // ROUTE.look_every.cap + 1


def test_a_look_at_the_user_that_fails_is_done_again_later(loop: PureLoop) -> None:
    """With growing waits, and beside the delivery, which goes on."""

    class Blind(PureLoop):
        blind = True

        def look(self, key: SubjectKey, effect: Effect) -> Looked[Any]:
            fact = super().look(key, effect)
            if self.blind and effect is Effect.LOOK_UP and self.uem.ledger:
                fault = Fault(code="UEM-009", family=Family.TRANSIENT)
                return UserLookedUp(fact.basis, fault)
            return fact

    blind = Blind(uem=loop.uem, ca=loop.ca)
    enrol(blind)
    until_phase(blind, Phase.AWAITING_PURGE)
    enrol(blind, "11")
    until_phase(blind, Phase.COMPLETED)
    look = holder(blind).look
    assert look is not None
    assert look.attempts > 3
    blind.blind = False
    blind.run_out()
    assert holder(blind).look is None


@pytest.mark.parametrize("before", [True, False])
def test_an_answer_about_another_user_is_refused(loop: PureLoop, *, before: bool) -> None:
    """No key leaves escrow for it, and a later look takes no device from the holder."""

    class Mistaken(PureLoop):
        mistaken = before

        def look(self, key: SubjectKey, effect: Effect) -> Looked[Any]:
            fact = super().look(key, effect)
            if self.mistaken and effect is Effect.LOOK_UP:
                return UserLookedUp(fact.basis, self.uem.user("2"))
            return fact

    mistaken = Mistaken(uem=loop.uem, ca=loop.ca)
    enrol(mistaken)
    if not before:
        until_phase(mistaken, Phase.AWAITING_PURGE)
        mistaken.mistaken = True
        enrol(mistaken, "11")
    mistaken.run_out()
    trouble = delivery(mistaken).trouble
    assert (trouble.code if trouble else "") == ("UEM-005" if before else "")
    assert len(mistaken.uem.ledger) == (not before)
    assert holder(mistaken).name != mistaken.uem.user("2").name
    assert device_key("10") in holder(mistaken).devices


def test_a_uem_whose_clock_is_ahead_makes_no_sleeping_device_lost(loop: PureLoop) -> None:
    """When it was seen is compared with when it was seen before, both on the UEM's clock."""
    loop.skew = 4 * 60 * SECOND
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    loop.uem.copies.clear()
    lost(loop)
    loop.uem.phones["10"].online = False
    for _ in range(30):
        if not loop.step():
            loop.pass_time(HOUR)
    assert not holder(loop).history
    loop.uem.phones["10"].online = True
    until(loop, lambda: bool(holder(loop).history))
