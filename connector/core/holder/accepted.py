"""After the UEM took a set: update copy, requests, history and devices."""

from connector.core.handover import Accepted
from connector.core.holder import purge
from connector.core.holder.lifecycle import Holder, change, delivery_of, move, route_of
from connector.core.model import OpenRequest, ProfileStatus, RequestState, SetEntry, Slot
from connector.core.policy import PushPolicy
from connector.core.states import (
    Copy,
    CopyState,
    DeliveredGeneration,
    DevicePhase,
    Effect,
    Phase,
    Running,
)

BEFORE_ANY_LOOK: dict[str, object] = {
    "pushed_at": None,
    "pushes": 0,
    "push_failures": 0,
    "looked_at": None,
    "profile": ProfileStatus.UNKNOWN,
    "code": None,
    "code_since": None,
}
"""What an upload makes of what was known of a device before it."""


def _entries(step: Holder, running: Running) -> tuple[SetEntry, ...]:
    """What was handed over; a record of an earlier version says it only in its delivery."""
    candidates = [step.state.delivery, *step.state.history]
    return running.entries or next(
        (d.entries for d in candidates if d is not None and d.id == running.delivery), ()
    )


def accepted(step: Holder, running: Running, outcome: Accepted) -> None:
    """Record the copy and the delivered generations, and wait for the devices."""
    entries = _entries(step, running)
    route = route_of(step)
    retention = step.state.copy_.retention
    server_time = outcome.server_time
    if server_time is not None and not purge.agrees(step, server_time):
        server_time = None  # a wrong clock may be corrected later: count from then
    margin = route.retention_margin if route else 0
    step.set(
        copy_=Copy(
            state=CopyState.PRESENT,
            digests=(outcome.digest,),
            possible_since=running.started_at,
            since=step.now,
            since_server=server_time,
            due=step.now + retention + margin if server_time else step.now,
            retention=retention,
            retention_from=step.state.copy_.retention_from,
        ),
        last_digest=outcome.digest,
        requests=_without_fetched(step, entries),
    )
    # What an upload of unknown outcome left on a device is older, and proves nothing.
    before = running.before or Copy()
    again = bool(step.state.delivered) or before.state is not CopyState.NONE
    remember(step, running, perhaps=False)
    if delivery_of(step, running) is not None:
        _await_install(step, outcome, again=again)


def _without_fetched(step: Holder, entries: tuple[SetEntry, ...]) -> tuple[OpenRequest, ...]:
    """Remove the requests fetched for the set; the others are cleaned up."""
    sent = {entry.fingerprint for entry in entries}
    return tuple(
        request
        for request in step.state.requests
        if request.fingerprint not in sent or request.state is not RequestState.GRANTED
    )


def remember(step: Holder, running: Running, *, perhaps: bool) -> None:
    """The delivered generations, and those perhaps delivered; later sets must contain them."""
    sent = {generation.public_key: generation for generation in step.state.delivered}
    for entry in _entries(step, running):
        before = sent.get(entry.public_key)
        if entry.slot is Slot.SIGNING or (before is not None and (perhaps or not before.perhaps)):
            continue
        sent[entry.public_key] = DeliveredGeneration(
            fingerprint=entry.fingerprint,
            public_key=entry.public_key,
            at=step.now,
            perhaps=perhaps,
        )
    step.set(delivered=tuple(sent.values()))


def _await_install(step: Holder, outcome: Accepted, *, again: bool) -> None:
    route = route_of(step)
    push = route is not None and (
        route.push is PushPolicy.ALWAYS or (again and route.push is PushPolicy.SECOND)
    )
    delivery = step.state.delivery
    if delivery is None:
        return
    devices = {
        key: device.model_copy(
            update=BEFORE_ANY_LOOK
            | {"push_due": step.now if push and device.phase is DevicePhase.WAITING else None}
        )
        for key, device in delivery.devices.items()
    }
    change(
        step,
        uploaded_at=step.now,
        uploaded_server_time=outcome.server_time,
        trouble=None,
        devices=devices,
    )
    pushes = any(device.push_due is not None for device in devices.values())
    move(step, Phase.AWAITING_INSTALL, Effect.PUSH if pushes else Effect.LOOK_INSTALLED)
