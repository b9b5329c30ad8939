"""Commands of operators on a holder: done where they fit its state, and audited either way."""

from typing import Any

import pytest

from connector.core.events import (
    CancelRequested,
    DeliveryRequested,
    GenerationDropped,
    IdentityConfirmed,
    IdentityForgotten,
    PlanRequested,
    RetryRequested,
)
from connector.core.states import Phase
from tests.core.pure_loop import PureLoop
from tests.core.scenes import HOLDER, delivery, enrol, holder, until, until_phase

ANNA = {"by": "anna", "reason": "asked"}
DOES_NOT_FIT = "DLV-006"
OPEN = Phase.RECOVERING
DONE = Phase.COMPLETED


def command(loop: PureLoop, body: type[Any], **members: str) -> tuple[str, str | None, str | None]:
    """What the audit record of a command says: action, actor and outcome."""
    event = loop.send(HOLDER, body(**ANNA, **members))
    while event in loop.queue:
        loop.step()
    action = f"person.{body.model_fields['kind'].default}"
    (entry,) = (one for one in loop.audited if one.action == action)
    assert entry.reason == "asked"
    return entry.action, entry.actor, entry.outcome


@pytest.mark.parametrize(
    ("body", "phase", "outcome"),
    [
        (DeliveryRequested, OPEN, "ok"),
        (DeliveryRequested, DONE, "ok"),
        (RetryRequested, OPEN, "ok"),
        (RetryRequested, DONE, DOES_NOT_FIT),
        (CancelRequested, OPEN, "ok"),
        (CancelRequested, DONE, DOES_NOT_FIT),
        (IdentityConfirmed, OPEN, DOES_NOT_FIT),
        (IdentityForgotten, DONE, "IDN-005"),
        (PlanRequested, OPEN, "ok"),
        (PlanRequested, DONE, "ok"),
    ],
)
def test_each_command_is_audited_with_what_became_of_it(
    loop: PureLoop, body: type[Any], phase: Phase, outcome: str
) -> None:
    enrol(loop)
    until_phase(loop, phase)
    loop.audited.clear()
    assert command(loop, body) == (f"person.{body.model_fields['kind'].default}", "anna", outcome)


@pytest.mark.parametrize("phase", [OPEN, DONE])
def test_a_new_delivery_takes_the_place_of_the_present_one(loop: PureLoop, phase: Phase) -> None:
    enrol(loop)
    until_phase(loop, phase)
    before = delivery(loop).id
    command(loop, DeliveryRequested)
    assert (delivery(loop).trigger, delivery(loop).by) == ("redelivery", "anna")
    assert delivery(loop).id != before
    assert delivery(loop).open


def test_a_cancelled_delivery_is_over_and_can_be_tried_again(loop: PureLoop) -> None:
    enrol(loop)
    until_phase(loop, OPEN)
    command(loop, CancelRequested)
    assert (delivery(loop).phase, delivery(loop).why) == (Phase.CANCELLED, "by hand")
    assert command(loop, RetryRequested)[2] == "ok"
    assert delivery(loop).trigger == "redelivery"


def test_a_retry_uploads_again_what_a_device_does_not_show(loop: PureLoop) -> None:
    """The copy is still there, but only an upload brings the missing part to the device."""
    loop.ca.issue("user1")
    loop.uem.listed = frozenset()
    enrol(loop)
    until(
        loop,
        lambda: (
            holder(loop).delivery is not None
            and any(one.code for one in delivery(loop).devices.values())
        ),
    )
    before = delivery(loop)
    assert before.phase is Phase.AWAITING_PURGE
    assert command(loop, RetryRequested)[2] == "ok"
    assert delivery(loop).id != before.id
    assert delivery(loop).trigger == "redelivery"


def test_looking_at_a_plan_changes_nothing_but_the_audit_log(loop: PureLoop) -> None:
    enrol(loop)
    until_phase(loop, DONE)
    before = delivery(loop)
    command(loop, PlanRequested)
    assert delivery(loop) == before


def test_a_dropped_generation_is_remembered_with_its_reason(loop: PureLoop) -> None:
    """Only one that is known can be dropped: a typing error would drop nothing, unnoticed."""
    enrol(loop)
    until_phase(loop, DONE)
    (known, *_) = holder(loop).generations
    assert command(loop, GenerationDropped, fingerprint="0" * 64)[2] == DOES_NOT_FIT
    assert holder(loop).dropped == ()
    loop.audited.clear()
    assert command(loop, GenerationDropped, fingerprint=known.fingerprint)[2] == "ok"
    (dropped,) = holder(loop).dropped
    assert (dropped.fingerprint, dropped.by, dropped.reason) == (known.fingerprint, "anna", "asked")
    assert known.fingerprint not in {sent.fingerprint for sent in holder(loop).delivered}
