"""Watching until the new set is on every device: push, look, judge, give up in time."""

from connector.core.errors import Family, Fault, Scope
from connector.core.evidence import judge, too_close
from connector.core.holder.devices import remove
from connector.core.holder.lifecycle import (
    Holder,
    change,
    end,
    fail,
    give_up_waiting,
    move,
    route_of,
    waiting,
)
from connector.core.holder.possession import took
from connector.core.holder.retrying import retry_later
from connector.core.model import (
    DeviceEvidence,
    Millis,
    ProfileStatus,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import PushPolicy, RoutePolicy
from connector.core.ports import Evidence
from connector.core.retry import asked, poll
from connector.core.states import (
    Check,
    CopyState,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    Phase,
    Running,
)
from connector.core.step import outcome_of

MOST_PUSHES = 2
"""So often a delivery pushes the profile to a device, the second time to get clear evidence."""
PUSH_TRIES = 5
"""After so many failed pushes we only look: the UEM may send the profile by itself."""
EXPIRED = "the copy expired before the device took it"
MISSING = frozenset({ProfileStatus.PENDING, ProfileStatus.NONE, ProfileStatus.ERROR})


def start_push(step: Holder) -> None:
    """Write down to which devices the profile is pushed."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    attempt = step.state.attempt + 1
    devices = tuple(key for key in waiting(delivery) if profile_for(step, route, key) is not None)
    running = Running(
        effect=Effect.PUSH,
        attempt=attempt,
        started_at=step.now,
        limit=route.act_limit,
        epoch=step.rules.epoch,
        delivery=delivery.id,
        devices=devices,
    )
    step.set(running=running, attempt=attempt)
    step.note(
        "profile.push_started",
        delivery=delivery.id,
        route=route.name,
        devices=list(devices),
        attempt=attempt,
    )


def profile_for(step: Holder, route: RoutePolicy, device: SubjectKey) -> str | None:
    """The id of the mail profile for a device's platform; None when none is configured."""
    known = step.state.devices.get(device)
    platform = known.platform.lower() if known else ""
    return route.profiles.get(platform, route.profiles.get("*"))


def pushed(
    step: Holder, running: Running, taken: tuple[SubjectKey, ...], fault: Fault | None
) -> None:
    """The push went out to ``taken``, or is tried again a few times.

    Whom the UEM refuses (the profile is not assigned to that device any more) is only looked at.
    """
    step.note(
        "profile.pushed",
        outcome=outcome_of(fault),
        delivery=running.delivery,
        route=step.state.route,
        devices=list(taken),
        missed=[key for key in running.devices if key not in taken],
    )
    delivery = step.state.delivery
    if delivery is None or delivery.id != running.delivery:
        return
    if delivery.phase is not Phase.AWAITING_INSTALL:
        return
    if fault is not None and _push_again(fault, delivery):
        retry_later(step, fault)
        return
    if fault is not None:
        change(step, trouble=fault)
    devices = {
        key: device.model_copy(update={"pushed_at": step.now, "pushes": device.pushes + 1})
        if key in taken
        else device
        for key, device in delivery.devices.items()
    }
    change(step, devices=devices, attempts=0)
    move(step, Phase.AWAITING_INSTALL, Effect.LOOK_INSTALLED)


def _push_again(fault: Fault, delivery: Delivery) -> bool:
    if fault.scope is Scope.UPSTREAM:
        return True
    return fault.family is Family.TRANSIENT and delivery.attempts < PUSH_TRIES


def looked(step: Holder, evidence: Evidence | None, fault: Fault | None) -> None:
    """What the UEM knows of our profile and certificate on each device."""
    step.note("install.looked", outcome=outcome_of(fault), route=step.state.route)
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    if fault is not None:
        change(step, trouble=fault)
    elif evidence is not None:
        _judge_all(step, evidence, route)
        if _unclear(step, evidence, route):
            move(step, Phase.AWAITING_INSTALL, Effect.PUSH)
            return
    _look_again(step, route, fault)


def _unclear(step: Holder, evidence: Evidence, route: RoutePolicy) -> bool:
    """Whether a device that still waits showed something from the very second of the upload."""
    delivery = step.state.delivery
    uploaded = delivery.uploaded_server_time if delivery else None
    if delivery is None or uploaded is None or delivery.phase is not Phase.AWAITING_INSTALL:
        return False
    tenant = parse_subject(step.state.key).tenant
    waits = {
        parse_subject(key).id
        for key in waiting(delivery)
        if delivery.devices[key].pushes < MOST_PUSHES
    }
    unclear = {s.device for s in evidence.devices if too_close(s, uploaded)} & waits
    keys = (subject_key(tenant, SubjectKind.DEVICE, device) for device in unclear)
    pushable = any(profile_for(step, route, key) is not None for key in keys)
    return pushable and route.push is not PushPolicy.NEVER


def _judge_all(step: Holder, evidence: Evidence, route: RoutePolicy) -> None:
    tenant = parse_subject(step.state.key).tenant
    for seen in evidence.devices:
        key = subject_key(tenant, SubjectKind.DEVICE, seen.device)
        delivery = step.state.delivery
        if delivery is None or not delivery.open or key not in delivery.devices:
            continue
        if not seen.enrolled:
            remove(step, key, "not enrolled")
        elif delivery.devices[key].phase is DevicePhase.WAITING:
            uploaded = delivery.uploaded_server_time or delivery.uploaded_at
            _judge_one(step, key, seen, route, uploaded)


def _judge_one(
    step: Holder,
    key: SubjectKey,
    seen: DeviceEvidence,
    route: RoutePolicy,
    uploaded: Millis | None,
) -> None:
    delivery = step.state.delivery
    if delivery is None:
        return
    device = delivery.devices[key]
    known = step.state.devices.get(key)
    assume = known is not None and known.platform.lower() in route.assumed_platforms
    proof = None if uploaded is None else judge(seen, device, uploaded, assume=assume)
    changes: dict[str, object] = {
        "last_seen": seen.last_seen or device.last_seen,
        "looked_at": step.now,
    }
    if proof is not None:
        changes |= {"phase": DevicePhase.INSTALLED, "evidence": proof, "since": step.now}
        _ready(step, device, route, known.platform if known else "")
    elif seen.profile in MISSING:
        changes |= {"not_installed_seen_at": step.now}
    change(step, devices={**delivery.devices, key: device.model_copy(update=changes)})
    if proof is not None:
        took(step, key, delivery, proof)
        step.note("device.installed", delivery=delivery.id, reason=proof, device=key)


def _ready(step: Holder, device: DeviceInDelivery, route: RoutePolicy, platform: str) -> None:
    step.moment(
        "enrolment_to_ready",
        step.now - device.joined_at,
        target=route.uem,
        platform=platform.lower(),
    )


def _look_again(step: Holder, route: RoutePolicy, fault: Fault | None) -> None:
    delivery = step.state.delivery
    if delivery is None or delivery.phase is not Phase.AWAITING_INSTALL:
        return
    used = 0 if fault is not None and fault.scope == "upstream" else 1
    looks = delivery.attempts + used
    wait = poll(route.look_every, looks, step.rules.dice)
    wait = max(wait, asked(fault))
    change(step, attempts=looks, due=step.now + wait)


def settle(step: Holder) -> None:
    """Move on when every device has ended; deal with a copy that expired while a device waits.

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
        if delivery.phase is Phase.PLANNING:  # a hint that came meanwhile counts on its listing
            step.set(check=Check(due=step.now))
        move(step, Phase.AWAITING_PURGE, Effect.LOOK_GONE)
    elif phases <= {DevicePhase.LEFT}:
        end(step, Phase.CANCELLED, why="left")
    else:
        fail(step, "DLV-002", "no device showed the profile as installed")


def _expired(step: Holder) -> None:
    """The copy is gone and a device still waits: again for those seen since, at most N times."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    copy = step.state.copy_
    expired_at = (copy.since_server or 0) + copy.retention
    devices = dict(delivery.devices)
    again = False
    for key in waiting(delivery):
        device = devices[key]
        if device.expired_rounds >= route.expired_rounds:
            if not step.rules.deadlines_held:
                devices[key] = device.model_copy(update=_not_installed(step, EXPIRED))
        elif device.last_seen is not None and device.last_seen > expired_at:
            rounds = device.expired_rounds + 1
            devices[key] = device.model_copy(update={"expired_rounds": rounds})
            again = True
    change(step, devices=devices)
    if again:
        move(step, Phase.PLANNING, Effect.LOOK_UP)
    elif not waiting(step.state.delivery or delivery):
        settle(step)


def _not_installed(step: Holder, why: str) -> dict[str, object]:
    return {"phase": DevicePhase.NOT_INSTALLED, "why": why, "since": step.now}


def give_up(step: Holder) -> None:
    """The deadline for installing has passed: what still waits is not installed."""
    give_up_waiting(step, "not seen installed before the deadline")
    settle(step)
