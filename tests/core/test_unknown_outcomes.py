"""What an act of unknown outcome means for the acts after it."""

import json

import pytest

from connector.core.boot_time import BootTime
from connector.core.errors import Family, Fault
from connector.core.facts import ActFound, Begun, CleanedUp, Elapsed, HandedOver, Pushed
from connector.core.handover import Accepted, BundleReceipt, NotSent, Refused, Unknown
from connector.core.holder.advance import advance
from connector.core.model import OpenRequest, RequestState, SetEntry, Slot, set_digest
from connector.core.policy import Rules
from connector.core.reach import SandboxPart
from connector.core.states import (
    Copy,
    CopyState,
    Delivery,
    DeviceInDelivery,
    Effect,
    HolderState,
    KnownDevice,
    Phase,
    Running,
    Trigger,
)
from tests.core.names import ROUTE
from tests.core.pure_loop import PureLoop
from tests.core.scenes import delivery, enrol, renew, until, until_phase
from tests.core.scenes import holder as loop_holder

NOW = 1_800_000_000_000
DEVICE = "acme/device/10"
ENTRIES = (
    SetEntry(slot=Slot.ENCRYPTION, fingerprint="a" * 64, public_key="1" * 64),
    SetEntry(slot=Slot.ARCHIVED, fingerprint="b" * 64, public_key="2" * 64),
)
RULES = Rules(routes={ROUTE.name: ROUTE}, boot=BootTime("here", 0), dice=lambda: 0.5)


def holder(phase: Phase, running: Running, **members: object) -> HolderState:
    """A holder in the middle of an act."""
    delivery = Delivery(
        id="d",
        opened_at=NOW,
        trigger=Trigger.ENROLMENT,
        phase=phase,
        step=running.effect,
        due=NOW,
        deadline=NOW + 1_000_000,
        phase_since=NOW,
        looked_up_at=NOW,
        entries=ENTRIES,
        digest=set_digest(ENTRIES),
        devices={DEVICE: DeviceInDelivery(since=NOW, joined_at=NOW)},
    )
    return HolderState(
        key="acme/user/1",
        route=ROUTE.name,
        attempt=running.attempt,
        devices={DEVICE: KnownDevice(platform="apple", joined_at=NOW)},
        delivery=delivery,
        running=running,
    ).model_copy(update=members)


def act(effect: Effect, **members: object) -> Running:
    running = Running(
        effect=effect, attempt=2, started_at=NOW, limit=1000, epoch=0, delivery="d", digest="0" * 64
    )
    return running.model_copy(update=members)


def request(number: int, entry: SetEntry, state: RequestState) -> OpenRequest:
    return OpenRequest(id=f"{number:032x}", fingerprint=entry.fingerprint, state=state)


def test_requests_that_nobody_answered_for_are_looked_at_at_once() -> None:
    """A request of an act that died counts on the CA's word, not on ours, and without waiting."""
    lost = request(1, ENTRIES[0], RequestState.PENDING)
    asked = request(2, ENTRIES[1], RequestState.PENDING)
    state = holder(Phase.RECOVERING, act(Effect.BEGIN, requests=(asked,)), requests=(lost, asked))
    answer = asked.model_copy(update={"state": RequestState.GRANTED})
    after = advance(state, Begun(2, (answer,)), NOW, RULES).state
    assert after.delivery is not None
    assert (after.delivery.step, after.delivery.due) == (Effect.LOOK_REQUESTS, NOW)


@pytest.mark.parametrize(
    ("before", "step"),
    [(CopyState.NONE, Effect.LOOK_INSTALLED), (CopyState.PERHAPS, Effect.PUSH)],
)
def test_profile_is_pushed_when_a_set_may_have_been_there(before: CopyState, step: Effect) -> None:
    """What an upload of unknown fate brought to a device proves nothing of the one after it."""
    state = holder(Phase.HANDING_OVER, act(Effect.HAND_OVER, before=Copy(state=before)))
    outcome = Accepted(
        digest=set_digest(ENTRIES),
        bundles=tuple(
            BundleReceipt(slot=one.slot, fingerprint=one.fingerprint, size=1) for one in ENTRIES
        ),
        server_time=NOW,
        memory_locked=True,
    )
    after = advance(state, HandedOver(2, outcome), NOW, RULES).state
    assert after.delivery is not None
    assert (after.delivery.phase, after.delivery.step) == (Phase.AWAITING_INSTALL, step)


def test_a_device_that_the_uem_refuses_keeps_no_other_from_its_push() -> None:
    """What was pushed counts, with any outcome of the rest; all are looked at again."""
    second = "acme/device/11"
    state = holder(Phase.AWAITING_INSTALL, act(Effect.PUSH, devices=(DEVICE, second)))
    assert state.delivery is not None
    waiting = DeviceInDelivery(since=NOW, joined_at=NOW)
    delivery = state.delivery.model_copy(update={"devices": {DEVICE: waiting, second: waiting}})
    state = state.model_copy(update={"delivery": delivery})
    refusal = Fault(code="UEM-404", family=Family.PERMANENT)
    step = advance(state, Pushed(2, (second,), refusal), NOW, RULES)
    after = step.state.delivery
    assert after is not None
    assert (after.step, after.trouble) == (Effect.LOOK_INSTALLED, refusal)
    assert [device.pushes for device in after.devices.values()] == [0, 1]
    assert step.audit[0].details == {"devices": [second], "missed": [DEVICE]}


def test_a_request_that_the_ca_does_not_end_keeps_no_other_open() -> None:
    """What was ended is forgotten; the rest is tried again later."""
    ended, kept = (request(number, ENTRIES[0], RequestState.GRANTED) for number in (1, 2))
    state = holder(
        Phase.AWAITING_INSTALL,
        act(Effect.CLEAN_UP, requests=(ended, kept)),
        requests=(ended, kept),
    )
    refusal = Fault(code="CA-400", family=Family.PERMANENT)
    after = advance(state, CleanedUp(2, (ended,), refusal), NOW, RULES).state
    assert after.requests == (kept,)
    assert after.requests_due is not None
    assert after.requests_due > NOW


@pytest.mark.parametrize("fate", ["unanswered", "late", "crash_after", "silent"])
def test_what_may_have_arrived_belongs_to_the_history(loop: PureLoop, fate: str) -> None:
    """The phone took two keys of an upload without an answer; one alone is refused later."""
    loop.ca.issue("user1")
    enrol(loop)
    loop.fates.append(fate)
    until(loop, lambda: bool(loop.uem.ledger))
    del loop.ca.listed["user1"][0]
    loop.run_out()
    trouble = delivery(loop).trouble
    assert trouble is not None
    assert trouble.code == "KEY-108"
    assert len(loop.uem.ledger) == 1
    assert all(sent.perhaps for sent in loop_holder(loop).delivered)


def test_what_was_delivered_for_certain_is_not_made_a_perhaps(loop: PureLoop) -> None:
    """Nor the other way round, once an upload was answered."""
    enrol(loop)
    loop.fates.extend(["unanswered", "accepted", "unanswered"])
    until_phase(loop, Phase.AWAITING_PURGE)
    assert [sent.perhaps for sent in loop_holder(loop).delivered] == [False]
    renew(loop)
    until(loop, lambda: len(loop_holder(loop).delivered) == 2)
    assert [sent.perhaps for sent in loop_holder(loop).delivered] == [False, True]


@pytest.mark.parametrize("answered", [True, False])
def test_the_next_hand_over_waits_only_for_an_upload_that_may_be_on_its_way(
    *, answered: bool
) -> None:
    """An answer ends the upload, with any outcome; silence does not."""
    not_after = NOW + 66_000
    copy = Copy(state=CopyState.PERHAPS, not_after=not_after, due=not_after)
    state = holder(Phase.HANDING_OVER, act(Effect.HAND_OVER), copy_=copy)
    fault = Fault(code="UEM-010" if answered else "UEM-002", family=Family.TRANSIENT)
    outcome = Unknown(fault=fault, disclosed=2, answered=answered)
    after = advance(state, HandedOver(2, outcome), NOW, RULES).state
    assert after.delivery is not None
    assert (after.delivery.due < not_after) == answered
    assert after.copy_.state is CopyState.PERHAPS


@pytest.mark.parametrize("kind", [NotSent, Refused, Unknown])
def test_the_record_of_a_failed_hand_over_says_how_its_keys_were_protected(
    kind: type[NotSent | Refused | Unknown],
) -> None:
    """As far as the process reported: nothing is made up for one that was killed."""
    state = holder(Phase.HANDING_OVER, act(Effect.HAND_OVER, before=Copy()))
    fault = Fault(code="UEM-400", family=Family.PERMANENT)
    silent = kind(fault=fault, disclosed=2)
    told = kind(fault=fault, disclosed=2, memory_locked=True, sandbox=tuple(SandboxPart))
    receipts = [
        advance(state, HandedOver(2, one), NOW, RULES).audit[0].details["receipt"]
        for one in (silent, told)
    ]
    parts = [part.value for part in SandboxPart]
    protection = {"memory_locked": True, "sandbox": parts}
    assert receipts == [{"disclosed": 2}, {"disclosed": 2, **protection}]


NOT_YET = ("route", "person", "reason", "profiles", "entries", "address", "rules")
"""Members of an act's record that an earlier version did not write."""


def test_an_open_act_of_an_earlier_version_is_awaited_and_what_it_sent_is_remembered() -> None:
    """Its record does not say what was sent; its delivery does. Another act has a whole record."""
    written = holder(Phase.HANDING_OVER, act(Effect.HAND_OVER, before=Copy()))
    stored = json.loads(written.model_dump_json(by_alias=True))
    for member in NOT_YET:
        del stored["running"][member]
    state = HolderState.model_validate_json(json.dumps(stored))
    found = advance(state, ActFound(), NOW, RULES.model_copy(update={"epoch": 1})).state
    assert found.running is not None
    later = RULES.model_copy(update={"epoch": 1, "boot": BootTime("here", 1_000_000)})
    after = advance(found, Elapsed(), NOW + 1_000_000 - 1, later).state
    assert after.running is None
    assert [(one.fingerprint, one.perhaps) for one in after.delivered] == [
        (entry.fingerprint, True) for entry in ENTRIES
    ]
