"""Pushing the profile: to which devices, when, and when again.

Each device has its own time and its own failures, so that a refusal or delay of one does not
delay the others, and a push that succeeded is not repeated because another failed.
"""

from connector.core.errors import Family, Fault, Scope
from connector.core.evidence import too_close
from connector.core.holder import acts
from connector.core.holder.lifecycle import Holder, change, move, route_of, waiting
from connector.core.holder.progress import profile_of
from connector.core.model import DeviceEvidence, Millis, ProfileStatus, SubjectKey
from connector.core.policy import PushPolicy, RoutePolicy
from connector.core.retry import asked, backoff, poll
from connector.core.states import (
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    Phase,
    Running,
)
from connector.core.step import outcome_of

FOR_EVIDENCE = 2
"""So often the profile is pushed to a device at the most, refused ones counted, where its evidence
is of the very second of the upload."""
FOR_FAILURE = 8
"""So often the profile is pushed to a device whose installation failed, while the copy lives."""


def start_push(step: Holder) -> None:
    """Record to which devices the profile is pushed: those that failed least come first."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    due = {key: profile_of(step, route, key) for key in _due(step, delivery)}
    profiles = {key: profile for key, profile in due.items() if profile}
    if not profiles:
        change(step, step=Effect.LOOK_INSTALLED, due=step.now)
        return
    needs = {"delivery": delivery.id, "devices": tuple(profiles), "profiles": profiles}
    attempt = acts.record(step, Effect.PUSH, route.act_limit, **needs)
    step.note(
        "profile.push_started",
        delivery=delivery.id,
        route=route.name,
        devices=list(profiles),
        attempt=attempt,
    )


def _due(step: Holder, delivery: Delivery) -> list[SubjectKey]:
    waits = {key: delivery.devices[key] for key in waiting(delivery)}
    due = [
        key
        for key, device in waits.items()
        if device.push_due is not None and device.push_due <= step.now
    ]
    if not next_pushes(delivery):  # a state of an earlier version has one time for all of them
        due = [key for key, device in waits.items() if device.pushed_at is None]
    return sorted(due, key=lambda key: delivery.devices[key].push_failures)


def pushed(
    step: Holder, running: Running, taken: tuple[SubjectKey, ...], fault: Fault | None
) -> None:
    """The push reached ``taken``; the others are tried again, or only looked at."""
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
    devices = dict(delivery.devices)
    for key in running.devices:
        if key in taken:
            devices[key] = _taken(step, devices[key])
        else:
            blamed = fault is not None and _is_blamed(running, taken, fault, key)
            failures = devices[key].push_failures + (1 if blamed else 0)
            devices[key] = devices[key].model_copy(update={"push_failures": failures})
    change(step, devices=devices, trouble=fault)
    if fault is not None:
        _missed(step, running, taken, fault)
    if taken:
        change(step, step=Effect.LOOK_INSTALLED, due=step.now, attempts=0)
    else:
        look_again(step, fault)


def _taken(step: Holder, device: DeviceInDelivery) -> DeviceInDelivery:
    changes = {
        "pushed_at": step.now,
        "pushes": device.pushes + 1,
        "push_due": None,
        "push_failures": 0,
    }
    return device.model_copy(update=changes)


def _is_blamed(
    running: Running, taken: tuple[SubjectKey, ...], fault: Fault, device: SubjectKey
) -> bool:
    """Whether the failure is this device's.

    A refusal concerns each device that was not pushed to. Any other fault ended the act at one
    device, the first that was not pushed to, and the others were not tried.
    """
    if fault.scope is Scope.UPSTREAM:
        return False
    if fault.family is not Family.TRANSIENT:
        return True
    return not taken and device == running.devices[0]


def _missed(step: Holder, running: Running, taken: tuple[SubjectKey, ...], fault: Fault) -> None:
    """When the others are pushed to again; a refused device only after a look asks for it."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    again = fault.family is Family.TRANSIENT or fault.scope is Scope.UPSTREAM
    failures = sum(delivery.devices[key].push_failures for key in waiting(delivery))
    at = step.now + backoff(route.retry, 0 if taken else failures, step.rules.dice, fault)
    update = {"push_due": at if again else None}
    devices = {
        key: device.model_copy(update=update)
        if key in running.devices and key not in taken
        else device
        for key, device in delivery.devices.items()
    }
    change(step, devices=devices)
    step.moment("retry", operation=Effect.PUSH.value, error_code=fault.code)


def push_for(
    step: Holder,
    key: SubjectKey,
    device: DeviceInDelivery,
    seen: DeviceEvidence,
    uploaded: Millis | None,
) -> Millis | None:
    """When the profile is pushed to a device that still waits, after a look; None: not at all."""
    route = route_of(step)
    if route is None or route.push is PushPolicy.NEVER or profile_of(step, route, key) is None:
        return None
    if device.push_due is not None:
        return device.push_due
    pushes = device.pushes + device.push_failures
    if seen.profile is ProfileStatus.ERROR and pushes < FOR_FAILURE:
        return _after_a_failure(step, route, device, pushes)
    if uploaded is not None and too_close(seen, uploaded) and pushes < FOR_EVIDENCE:
        return step.now
    if seen.profile is ProfileStatus.INSTALLED and not pushes and _missed_the_upload(step, device):
        return step.now
    return None


def _missed_the_upload(step: Holder, device: DeviceInDelivery) -> bool:
    """Whether a device was enrolled before the upload, and we learned of it afterwards.

    Its profile came with an earlier set, and it was not among those pushed to after the upload.
    """
    uploaded = step.state.delivery.uploaded_at if step.state.delivery else None
    return uploaded is not None and device.joined_at < uploaded <= device.since


def _after_a_failure(
    step: Holder, route: RoutePolicy, device: DeviceInDelivery, pushes: int
) -> Millis:
    """The installation may fail again: each push waits longer than the one before it."""
    wait = poll(route.look_every, pushes * 4, step.rules.dice)
    return max(step.now, (device.pushed_at or step.now) + wait)


def look_again(step: Holder, fault: Fault | None) -> None:
    """Push to devices that are due; otherwise look again later, or at the next push."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None or delivery.phase is not Phase.AWAITING_INSTALL:
        return
    used = 0 if fault is not None and fault.scope is Scope.UPSTREAM else 1
    looks = delivery.attempts + used
    wait = max(poll(route.look_every, looks, step.rules.dice), asked(fault))
    pushes = [at for at in next_pushes(delivery) if fault is None or at > step.now]
    due = min([step.now + wait, *pushes])
    change(step, attempts=looks, step=Effect.LOOK_INSTALLED, due=due)
    if any(at <= step.now for at in pushes):
        move(step, Phase.AWAITING_INSTALL, Effect.PUSH)


def next_pushes(delivery: Delivery) -> list[Millis]:
    """When the profile is pushed next to each waiting device that gets a push."""
    devices = (delivery.devices[key] for key in waiting(delivery))
    return [device.push_due for device in devices if device.push_due is not None]


def push_by_hand(step: Holder) -> bool:
    """A person asks for another try: reset all push failures. False if no push is allowed."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None or route.push is PushPolicy.NEVER:
        return False
    if delivery.phase is not Phase.AWAITING_INSTALL:
        return False
    fresh = {"push_due": step.now, "pushes": 0, "push_failures": 0}
    devices = {
        key: device.model_copy(update=fresh)
        if device.phase is DevicePhase.WAITING and profile_of(step, route, key)
        else device
        for key, device in delivery.devices.items()
    }
    change(step, devices=devices)
    return devices != delivery.devices
