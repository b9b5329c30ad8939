"""Watch until the new set is on every device: look, judge, give up at the deadline."""

from collections import Counter

from connector.core.errors import Fault
from connector.core.evidence import NOT_INSTALLED, judge
from connector.core.holder import purge
from connector.core.holder.devices import remove
from connector.core.holder.lifecycle import (
    Holder,
    change,
    end,
    fail,
    give_up_device,
    give_up_waiting,
    move,
    route_of,
    waiting,
)
from connector.core.holder.possession import took
from connector.core.holder.progress import (
    CERTAIN,
    HISTORY_UNSEEN,
    cause_of,
    end_certain,
)
from connector.core.holder.push import look_again, push_for
from connector.core.model import (
    DeviceEvidence,
    Millis,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import RoutePolicy
from connector.core.ports import Evidence
from connector.core.states import (
    Check,
    CopyState,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    Phase,
)
from connector.core.step import outcome_of

EXPIRED = "the copy expired before the device took it"


def looked(step: Holder, evidence: Evidence | Fault) -> None:
    """What the UEM knows of our profile and certificate on each device."""
    step.note("install.looked", outcome=outcome_of(evidence), route=step.state.route)
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    if isinstance(evidence, Fault):
        change(step, trouble=evidence)
        look_again(step, evidence)
    else:
        if not any(device.push_failures for device in delivery.devices.values()):
            change(step, trouble=None)
        if delivery.uploaded_server_time is None:  # a Date seen now is later
            change(step, uploaded_server_time=evidence.server_time)
        _judge_all(step, evidence, route)
        end_certain(step)
        look_again(step, None)


def _judge_all(step: Holder, evidence: Evidence, route: RoutePolicy) -> None:
    tenant = parse_subject(step.state.key).tenant
    for seen in evidence.devices:
        key = subject_key(tenant, SubjectKind.DEVICE, seen.device)
        delivery = step.state.delivery
        if delivery is None or not delivery.open or key not in delivery.devices:
            continue
        if not seen.enrolled:
            remove(step, key, "not enrolled")
        elif delivery.devices[key].phase is DevicePhase.WAITING and _judge_one(
            step, key, seen, route, delivery.uploaded_server_time
        ):
            purge.installed(step, evidence.server_time)


def _judge_one(
    step: Holder,
    key: SubjectKey,
    seen: DeviceEvidence,
    route: RoutePolicy,
    uploaded: Millis | None,
) -> bool:
    """Record what a look showed of a device; True if it proves that the device has the set."""
    delivery = step.state.delivery
    if delivery is None:
        return False
    device = delivery.devices[key]
    known = step.state.devices.get(key)
    platform = known.platform.lower() if known else ""
    assume = platform in route.assumed_platforms
    proof = judge(seen, device, uploaded, assume=assume)
    changes: dict[str, object] = {
        "last_seen": seen.last_seen or device.last_seen,
        "looked_at": step.now,
        "profile": seen.profile,
    }
    if proof is None:
        changes |= _still_waits(step, key, seen, uploaded)
    else:
        changes |= {"phase": DevicePhase.INSTALLED, "evidence": proof, "since": step.now}
        changes |= {"code": None, "code_since": None, "push_due": None}
    change(step, devices={**delivery.devices, key: device.model_copy(update=changes)})
    if proof is not None:
        unseen = took(step, key, delivery, proof, seen.archived_listed)
        code = HISTORY_UNSEEN if unseen else ""
        step.moment("device_ended", outcome=DevicePhase.INSTALLED.value, error_code=code)
        if unseen:
            _history_unseen(step, key, delivery, len(unseen))
        _ready(step, device, route, platform)
        step.note("device.installed", delivery=delivery.id, reason=proof, device=key)
    return proof is not None


def _history_unseen(step: Holder, key: SubjectKey, before: Delivery, number: int) -> None:
    """The device shows the new certificate, but not those that make old mail readable."""
    delivery = step.state.delivery
    if delivery is None:
        return
    shown = {"code": HISTORY_UNSEEN, "code_since": step.now}
    entry = delivery.devices[key].model_copy(update=shown)
    change(step, devices={**delivery.devices, key: entry})
    step.note(
        "device.history_unseen",
        outcome=HISTORY_UNSEEN,
        reason=f"{number} earlier generations are not in the device's list",
        delivery=before.id,
        device=key,
    )


def _still_waits(
    step: Holder, key: SubjectKey, seen: DeviceEvidence, uploaded: Millis | None
) -> dict[str, object]:
    delivery = step.state.delivery
    if delivery is None:
        return {}
    device = delivery.devices[key]
    cause = cause_of(seen, device, uploaded, step.now)
    push_due = push_for(step, key, device, seen, uploaded)
    not_there = step.now if seen.profile in NOT_INSTALLED else device.not_installed_seen_at
    return {
        "code": cause.code,
        "code_since": cause.since,
        "push_due": push_due,
        "not_installed_seen_at": not_there,
    }


def _ready(step: Holder, device: DeviceInDelivery, route: RoutePolicy, platform: str) -> None:
    step.moment(
        "enrolment_to_ready",
        step.now - device.joined_at,
        target=route.uem,
        platform=platform,
    )


def settle(step: Holder) -> None:
    """Move on once every device has ended; handle a copy that expired while a device waits.

    In the phases before, the last device that waited may have left; those that had installed the
    set in an earlier round still end the delivery well. An open act is awaited first.
    """
    delivery = step.state.delivery
    if delivery is None or not delivery.open or step.state.running is not None:
        return
    if waiting(delivery):
        if delivery.phase is Phase.AWAITING_INSTALL and step.state.copy_.state is CopyState.GONE:
            _expired(step)
        return
    if delivery.devices and delivery.phase is not Phase.AWAITING_PURGE:
        _all_ended(step, delivery)


def _all_ended(step: Holder, delivery: Delivery) -> None:
    phases = {device.phase for device in delivery.devices.values()}
    if DevicePhase.INSTALLED in phases:
        if delivery.phase is Phase.PLANNING:  # an event that came meanwhile relies on its listing
            step.set(check=Check(due=step.now))
        move(step, Phase.AWAITING_PURGE, Effect.LOOK_GONE)
    elif phases <= {DevicePhase.LEFT}:
        end(step, Phase.CANCELLED, why="left")
    else:
        codes = Counter(device.code for device in delivery.devices.values() if device.code)
        causes = ", ".join(f"{code} on {number}" for code, number in sorted(codes.items()))
        because = f": {causes}" if causes else ""
        fail(step, "DLV-002", f"no device showed the profile as installed{because}")


def _expired(step: Holder) -> None:
    """The copy is gone and a device still waits: deliver again if it was seen, at most N times."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    copy = step.state.copy_
    expired_at = (copy.since_server or 0) + copy.retention
    again: dict[SubjectKey, DeviceInDelivery] = {}
    for key in waiting(delivery):
        device = delivery.devices[key]
        if device.code in CERTAIN or device.expired_rounds >= route.expired_rounds:
            if not step.rules.deadlines_held:
                give_up_device(step, key, CERTAIN.get(device.code or "", EXPIRED))
        elif device.last_seen is not None and device.last_seen > expired_at:
            rounds = device.expired_rounds + 1
            again[key] = device.model_copy(update={"expired_rounds": rounds})
    if again:
        now = step.state.delivery or delivery
        change(step, devices={**now.devices, **again})
        move(step, Phase.PLANNING, Effect.LOOK_UP)
    elif not waiting(step.state.delivery or delivery):
        settle(step)


def give_up(step: Holder) -> None:
    """The deadline for installing has passed: devices that still wait are not installed."""
    give_up_waiting(step, "not seen installed before the deadline")
    settle(step)
