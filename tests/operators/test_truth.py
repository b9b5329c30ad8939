"""What ``status`` says of a device is what is true of it, at each step, after failures too."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from connector.core.events import CancelRequested, DeviceUnenrolled, GenerationDropped
from connector.core.facts import Fact, InstallLookedAt, Looked
from connector.core.model import HOUR, SubjectKey
from connector.core.ports import Evidence
from connector.core.selection import SigningPolicy
from connector.core.states import DevicePhase, Effect, HolderState, Phase, State
from connector.operators import views
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
from tests.core.upstreams import Phone


@dataclass
class Watched(PureLoop):
    """Every state of a holder is shown to people, and compared with the devices themselves.

    ``lists``: whether the devices' own lists are shown, with earlier generations too.
    """

    lists: bool = True
    shown: set[tuple[str, str]] = field(default_factory=set)

    def look(self, key: SubjectKey, effect: Effect) -> Looked[Any]:
        fact = super().look(key, effect)
        if not self.lists or not isinstance(fact.answer, Evidence):
            return fact
        devices = tuple(
            one.model_copy(update={"archived_listed": self.on(self.uem.phones[one.device])})
            for one in fact.answer.devices
        )
        evidence = fact.answer.model_copy(update={"devices": devices})
        return InstallLookedAt(fact.basis, evidence)

    def on(self, phone: Phone) -> frozenset[str]:
        """What a phone really has."""
        return self.contents.get(phone.installed or "", frozenset())

    def apply(self, key: SubjectKey, fact: Fact) -> State:
        after = super().apply(key, fact)
        if isinstance(after, HolderState) and not self.queue:
            self.compare(after)
        return after

    def compare(self, state: HolderState) -> None:
        line = views.summary(state)
        phones = {device_key(key): phone for key, phone in self.uem.phones.items()}
        assert line.devices == len(state.devices)
        assert line.installed <= line.devices
        for row in views.matrix(state):
            for device, standing in row.devices.items():
                self.cell(device, phones[device], row.fingerprint, standing)

    def cell(self, device: SubjectKey, phone: Phone, fingerprint: str, standing: str) -> None:
        has = {one for digest in phone.took for one in self.contents[digest]}
        if standing in {"present", "assumed"}:
            assert fingerprint in has, "present is said of what the device never took"
            self.shown.add((device, fingerprint))
        elif fingerprint in self.on(phone):
            assert standing != "missing", "missing is said of what the device may have"
            known = (device, fingerprint) in self.shown
            assert not known or standing == "unknown", f"was present, now {standing}"


def installed(loop: Watched) -> None:
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)


def nothing_else(loop: Watched) -> None:
    loop.run_out()


def certificate_not_listed_any_more(loop: Watched) -> None:
    del loop.ca.listed["user1"][0]
    redeliver(loop)


def signing_pair_missing(loop: Watched) -> None:
    loop.routes["corp"] = ROUTE.model_copy(update={"signing": SigningPolicy.REQUIRED})
    loop.ca.listed["user1"] = [one for one in loop.ca.listed["user1"] if one.encrypts]
    redeliver(loop)


def identity_edited(loop: Watched) -> None:
    loop.uem.mails["1"] = "user2@example.com"
    redeliver(loop)


def upload_refused(loop: Watched) -> None:
    loop.fates.append("refused")
    renew(loop)


def uploads_without_an_answer(loop: Watched) -> None:
    loop.fates.extend(["unanswered", "late", "crash_after", "not_sent"])
    renew(loop)


def unanswered_then_refused(loop: Watched) -> None:
    loop.fates.extend(["unanswered", "refused"])
    renew(loop)


def cancelled(loop: Watched) -> None:
    loop.uem.phones["10"].online = False
    renew(loop)
    until_phase(loop, Phase.AWAITING_INSTALL)
    loop.send(HOLDER, CancelRequested(by="local:0", reason="because"))


def device_left(loop: Watched) -> None:
    loop.uem.phones["10"].enrolled = False
    loop.send(device_key("10"), DeviceUnenrolled())


def device_enrolled_again(loop: Watched) -> None:
    loop.pass_time(HOUR)
    enrol(loop, online=False)


def second_device(loop: Watched) -> None:
    enrol(loop, "11", online=False)


def late_device_after_a_renewal(loop: Watched) -> None:
    loop.pass_time(5 * HOUR)
    loop.ca.issue("user1")
    enrol(loop, "11")


def away_while_it_is_renewed(loop: Watched) -> None:
    loop.uem.phones["10"].online = False
    renew(loop)


def ca_down(loop: Watched) -> None:
    loop.down = {"ca"}
    redeliver(loop)
    for _ in range(60):
        loop.step()
    loop.down = set()


def dropped_by_a_person(loop: Watched) -> None:
    renew(loop)
    loop.run_out()
    oldest = next(one for one in loop.ca.listed["user1"] if one.encrypts)
    loop.send(HOLDER, GenerationDropped(by="local:0", reason="r", fingerprint=oldest.fingerprint))
    redeliver(loop)


SCENES = [
    *(nothing_else, certificate_not_listed_any_more, signing_pair_missing, identity_edited),
    *(upload_refused, uploads_without_an_answer, unanswered_then_refused, cancelled),
    *(device_left, device_enrolled_again, second_device, late_device_after_a_renewal),
    *(away_while_it_is_renewed, ca_down, dropped_by_a_person),
]

UNSEEN = {cancelled, unanswered_then_refused}
"""A set may have reached the device after the last look at it."""


@pytest.mark.parametrize("lists", [True, False], ids=["seen", "assumed"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_status_says_what_each_device_has(scene: Callable[[Watched], None], lists: bool) -> None:  # noqa: FBT001
    """At every step of every scene, and at its end the same to the letter."""
    loop = Watched(lists=lists)
    loop.ca.issue("user1")
    loop.ca.issue("user1")
    installed(loop)
    scene(loop)
    loop.run_out()
    state = holder(loop)
    phones = {key: phone for key, phone in loop.uem.phones.items() if phone.enrolled}
    assert set(state.devices) == {device_key(key) for key in phones}
    for row in views.matrix(state):
        for key, phone in phones.items():
            truly = row.fingerprint in loop.on(phone)
            said = row.devices[device_key(key)]
            there = {"present", "unknown"} if lists else {"present", "assumed", "unknown"}
            assert said in (there if truly else {"missing", "unknown"}), said
            assert said != "unknown" or scene in UNSEEN


def test_a_device_that_left_is_not_counted() -> None:
    """Neither among the devices nor among those that have the set."""
    loop = Watched()
    loop.ca.issue("user1")
    installed(loop)
    device_left(loop)
    loop.run_out()
    line = views.summary(holder(loop))
    assert (line.installed, line.devices) == (0, 0)


def test_a_refused_delivery_takes_nothing_from_the_devices() -> None:
    """The phone that reads everything is counted, and its generations are there."""
    loop = Watched()
    loop.ca.issue("user1")
    installed(loop)
    loop.run_out()
    identity_edited(loop)
    loop.run_out()
    line = views.summary(holder(loop))
    assert (line.phase, line.code) == ("failed", "IDN-001")
    assert (line.installed, line.devices) == (1, 1)
    assert {row.devices[device_key("10")] for row in views.matrix(holder(loop))} == {"present"}


def test_a_set_that_changes_between_plan_and_hand_over_is_awaited_anew() -> None:
    """The device that has the earlier set is not taken to have the later one."""
    loop = Watched()
    loop.ca.issue("user1")
    enrol(loop)
    enrol(loop, "11", online=False)
    ten, eleven = device_key("10"), device_key("11")
    until_phase(loop, Phase.AWAITING_INSTALL)
    until(loop, lambda: delivery(loop).devices[ten].phase is DevicePhase.INSTALLED)
    first = delivery(loop).digest
    loop.uem.phones["10"].online = False
    until(loop, lambda: holder(loop).copy_.gone_at is not None, most=2000)
    loop.uem.phones["11"].online = True
    until(loop, lambda: delivery(loop).step is Effect.HAND_OVER, most=2000)
    assert delivery(loop).devices[ten].phase is DevicePhase.INSTALLED
    loop.ca.issue("user1")  # the hint about it is lost
    loop.run_out()
    devices = delivery(loop).devices
    assert delivery(loop).digest != first
    assert devices[ten].phase is DevicePhase.NOT_INSTALLED
    assert devices[eleven].phase is DevicePhase.INSTALLED
    assert views.summary(holder(loop)).installed == 1


def test_a_record_of_an_earlier_version_says_it_in_its_delivery() -> None:
    """Before the set was kept beside the device, only the delivery knew of it."""
    loop = Watched(lists=False)
    loop.ca.issue("user1")
    installed(loop)
    loop.run_out()
    state = holder(loop)
    ten = device_key("10")
    known = state.devices[ten].model_copy(update={"has": None})
    earlier = state.model_copy(update={"devices": {ten: known}, "sets": {}})
    assert views.matrix(earlier) == views.matrix(state)
    assert views.summary(earlier) == views.summary(state)
