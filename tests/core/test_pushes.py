"""Pushing the profile, and what is said of a device that does not get the set."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from connector.core.errors import Family, Fault, Scope
from connector.core.events import RetryRequested
from connector.core.facts import InstallLookedAt, Looked, Pushed
from connector.core.model import DAY, HOUR, SECOND, DeviceEvidence, ProfileStatus, SubjectKey
from connector.core.policy import PushPolicy, Retry, RoutePolicy
from connector.core.ports import Evidence
from connector.core.states import (
    CopyState,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    HolderState,
    Phase,
    Running,
)
from tests.core.names import ROUTE, device_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase

PUSHED = ROUTE.model_copy(
    update={
        "push": PushPolicy.ALWAYS,
        "retry": Retry(first=2 * SECOND, cap=900 * SECOND),
        "look_every": Retry(first=30 * SECOND, cap=900 * SECOND),
    }
)
REFUSED = Fault(code="UEM-404", family=Family.PERMANENT)
SLOW = Fault(code="HND-007", family=Family.TRANSIENT)
DOWN = Fault(code="UEM-001", family=Family.TRANSIENT, scope=Scope.UPSTREAM, upstream="uem:acme")


@dataclass
class Pushing(PureLoop):
    """Pushes may fail, and a look may show another status than the small picture has.

    ``fits``: number of devices pushed to within the limit of one act. ``fault``: what every push
    meets. ``shows``: the status of the profile that the UEM tells. ``same_second``: evidence is of
    the very second of the upload. ``heals_at``: the push after which the truth is shown.
    """

    fits: int = 1000
    fault: Fault | None = None
    shows: ProfileStatus | None = None
    same_second: bool = False
    heals_at: int = 1000
    pushes: Counter[SubjectKey] = field(default_factory=Counter)
    acts: list[int] = field(default_factory=list)
    looks: int = 0
    routes: dict[str, RoutePolicy] = field(default_factory=lambda: {"corp": PUSHED})

    def look(self, key: SubjectKey, effect: Effect) -> Looked[Any]:
        fact = super().look(key, effect)
        if isinstance(fact.answer, Evidence):
            self.looks += 1
            shown = tuple(self.changed(one) for one in fact.answer.devices)
            return InstallLookedAt(fact.basis, fact.answer.model_copy(update={"devices": shown}))
        return fact

    def changed(self, seen: DeviceEvidence) -> DeviceEvidence:
        healed = max(self.pushes.values(), default=0) >= self.heals_at
        changes: dict[str, object] = {}
        if self.shows is not None and not healed:
            changes = {"profile": self.shows, "certificate_seen_at": None}
        if self.same_second:
            at = self.uem.ledger[-1].at
            changes = {"profile": ProfileStatus.UNKNOWN, "certificate_seen_at": at}
        return seen.model_copy(update=changes)

    def act(self, state: HolderState, running: Running) -> None:
        if running.effect is not Effect.PUSH:
            super().act(state, running)
            return
        self.acts.append(self.now)
        taken = () if self.fault else running.devices[: self.fits]
        self.pushes.update(taken)
        late = self.fault or (SLOW if len(running.devices) > self.fits else None)
        self.answer(state.key, Pushed(running.attempt, taken, late))


def waiting(loop: Pushing, devices: int = 1) -> None:
    loop.ca.issue("user1")
    for number in range(devices):
        enrol(loop, str(10 + number), online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)


def entry(loop: Pushing, device: str = "10") -> DeviceInDelivery:
    return delivery(loop).devices[device_key(device)]


def test_a_push_that_runs_out_of_time_goes_on_with_the_rest() -> None:
    """Each device is pushed to once, however little fits into one act."""
    loop = Pushing(fits=3)
    waiting(loop, 20)
    until(loop, lambda: len(loop.pushes) == 20)
    for _ in range(60):
        loop.step()
    assert set(loop.pushes.values()) == {1}
    assert len(loop.acts) == 7


def test_a_refused_push_counts_and_is_not_repeated_at_once() -> None:
    """Evidence of the very second of the upload asks for two pushes at the most, refused or not."""
    loop = Pushing(fault=REFUSED, same_second=True)
    waiting(loop)
    began, audited = loop.now, len(loop.audited)
    until(loop, lambda: loop.now > began + HOUR, most=4000)
    assert len(loop.acts) <= 2
    assert loop.looks < 40
    assert len(loop.audited) - audited < 60


@pytest.mark.parametrize("fault", [SLOW, REFUSED])
def test_pushes_that_fail_in_a_row_wait_longer_each_time(fault: Fault) -> None:
    """The looks between them go on, and set nothing back."""
    loop = Pushing(fault=fault, shows=ProfileStatus.ERROR)
    waiting(loop)
    until(loop, lambda: holder(loop).copy_.state is CopyState.GONE, most=4000)
    gaps = [later - one for one, later in pairwise(loop.acts)]
    assert len(loop.acts) >= 8
    assert len(loop.acts) < 70
    assert gaps[-1] >= PUSHED.retry.cap // 2


def test_an_upstream_that_is_down_uses_up_no_push() -> None:
    """The breaker holds the pushes; afterwards they go out as if nothing had been."""
    loop = Pushing(fault=DOWN)
    waiting(loop)
    until(loop, lambda: len(loop.acts) > 10, most=4000)
    assert entry(loop).push_failures == 0
    loop.fault = None
    until(loop, lambda: loop.pushes[device_key("10")] == 1, most=4000)


@pytest.mark.parametrize("policy", [PushPolicy.SECOND, PushPolicy.ALWAYS])
def test_a_failed_installation_is_pushed_again_while_the_copy_lives(policy: PushPolicy) -> None:
    """With a code while it lasts; no second disclosure is needed."""
    route = PUSHED.model_copy(update={"push": policy})
    loop = Pushing(shows=ProfileStatus.ERROR, heals_at=3, routes={"corp": route})
    waiting(loop)
    loop.uem.phones["10"].online = True
    until(loop, lambda: entry(loop).code == "INS-001")
    assert holder(loop).cause == "INS-001"
    until(loop, lambda: entry(loop).phase is DevicePhase.INSTALLED, most=2000)
    assert loop.pushes[device_key("10")] == 3
    assert len(loop.uem.ledger) == 1
    assert entry(loop).code is None


def test_pushes_after_a_failure_have_an_end() -> None:
    """What fails for good ends with its code before the deadline, without another disclosure."""
    loop = Pushing(shows=ProfileStatus.ERROR)
    waiting(loop)
    loop.uem.phones["10"].online = True
    began = loop.now
    loop.run_out()
    assert loop.pushes[device_key("10")] == 8
    assert (entry(loop).phase, entry(loop).code) == (DevicePhase.NOT_INSTALLED, "INS-001")
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "DLV-002"
    assert "INS-001 on 1" in trouble.detail
    assert (delivery(loop).ended_at or 0) < began + 2 * DAY
    assert len(loop.uem.ledger) == 1


def test_never_means_never() -> None:
    """Also for a failed installation; the code is shown all the same."""
    route = PUSHED.model_copy(update={"push": PushPolicy.NEVER})
    loop = Pushing(shows=ProfileStatus.ERROR, routes={"corp": route})
    waiting(loop)
    until(loop, lambda: entry(loop).code == "INS-001")
    loop.run_out()
    assert loop.acts == []


@pytest.mark.parametrize(
    ("shows", "online", "code"),
    [
        (ProfileStatus.ERROR, True, "INS-001"),
        (ProfileStatus.NONE, True, "INS-002"),
        (ProfileStatus.PENDING, False, "INS-003"),
        (ProfileStatus.PENDING, True, "INS-004"),
        (ProfileStatus.INSTALLED, True, "INS-005"),
        (ProfileStatus.UNKNOWN, True, "INS-006"),
    ],
)
def test_each_cause_has_its_code(shows: ProfileStatus, online: bool, code: str) -> None:  # noqa: FBT001
    """They looked the same for fourteen days: awaiting installation, without a reason."""
    loop = Pushing(shows=shows)
    waiting(loop)
    entries = delivery(loop).devices
    assert all(device.not_installed_seen_at for device in entries.values())
    if shows is ProfileStatus.INSTALLED:  # as before the upload
        seen = entry(loop).model_copy(update={"not_installed_seen_at": None})
        after = delivery(loop).model_copy(update={"devices": {device_key("10"): seen}})
        loop.states[HOLDER] = holder(loop).model_copy(update={"delivery": after})
    loop.uem.phones["10"].online = online
    loop.pass_time(SECOND)
    until(loop, lambda: entry(loop).code is not None)
    assert (entry(loop).code, entry(loop).profile) == (code, shows)
    assert entry(loop).looked_at is not None
    assert holder(loop).cause == code


def test_a_platform_without_a_profile_is_named_before_a_key_leaves_escrow() -> None:
    """Nothing could ever be installed there."""
    loop = Pushing(routes={"corp": PUSHED.model_copy(update={"profiles": {"android": "4712"}})})
    loop.ca.issue("user1")
    enrol(loop)
    loop.run_out()
    assert (entry(loop).phase, entry(loop).code) == (DevicePhase.NOT_INSTALLED, "INS-007")
    assert loop.uem.ledger == []


def test_a_retry_pushes_again() -> None:
    """It used to say accepted and to do nothing."""
    loop = Pushing(shows=ProfileStatus.PENDING)
    waiting(loop)
    until(loop, lambda: entry(loop).looked_at is not None)
    before = loop.pushes[device_key("10")]
    loop.send(HOLDER, RetryRequested(by="local:0", reason="again"))
    until(loop, lambda: loop.pushes[device_key("10")] == before + 1, most=20)


def test_a_retry_while_the_copy_lives_takes_up_what_was_given_up() -> None:
    """Others have the set and wait for its purge; the one that failed is pushed to again."""
    loop = Pushing()
    waiting(loop, 2)
    loop.uem.phones["10"].online = True
    until(loop, lambda: entry(loop).phase is DevicePhase.INSTALLED)
    loop.shows = ProfileStatus.NONE
    route = PUSHED.model_copy(update={"phase_deadline": HOUR, "push": PushPolicy.SECOND})
    loop.routes["corp"] = route
    state = holder(loop)
    after = delivery(loop).model_copy(update={"deadline": loop.now + HOUR})
    loop.states[HOLDER] = state.model_copy(update={"delivery": after})
    until_phase(loop, Phase.AWAITING_PURGE)
    assert entry(loop, "11").code == "INS-002"
    loop.shows = None
    loop.uem.phones["11"].online = True
    loop.send(HOLDER, RetryRequested(by="local:0", reason="assigned now"))
    until(loop, lambda: entry(loop, "11").phase is DevicePhase.INSTALLED)
    assert len(loop.uem.ledger) == 1


def test_a_retry_of_what_is_done_is_refused() -> None:
    """Nothing waits and nothing failed."""
    loop = Pushing()
    loop.ca.issue("user1")
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    loop.send(HOLDER, RetryRequested(by="local:0", reason="why not"))
    loop.step()
    assert loop.audited[-1].outcome == "DLV-006"


def test_a_push_that_an_earlier_version_planned_goes_out() -> None:
    """Its states have one time for all devices, that of the delivery."""
    loop = Pushing()
    waiting(loop)
    earlier = entry(loop).model_copy(update={"push_due": None})
    after = delivery(loop).model_copy(update={"devices": {device_key("10"): earlier}})
    loop.states[HOLDER] = holder(loop).model_copy(update={"delivery": after})
    assert delivery(loop).step is Effect.PUSH
    until(loop, lambda: loop.pushes[device_key("10")] == 1, most=10)
