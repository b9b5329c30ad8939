"""Devices that join and leave a holder."""

from collections.abc import Mapping

from connector.core.errors import Transient
from connector.core.events import DeviceChanged, DeviceJoined, DeviceLeft
from connector.core.holder.lifecycle import (
    Holder,
    change,
    deadline_of,
    end,
    move,
    open_delivery,
    route_of,
)
from connector.core.holder.possession import forget_unused, set_on
from connector.core.model import (
    SECOND,
    DeviceFacts,
    Millis,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.no_later import no_later
from connector.core.states import (
    Check,
    Copy,
    CopyState,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    KnownDevice,
    Phase,
    Trigger,
)

SAME_ENROLMENT: Millis = 300 * SECOND
"""Two announcements of one device within five minutes are one enrolment (two event spellings)."""


def joined(step: Holder, body: DeviceJoined) -> None:
    """A device joins the holder: add it to the open delivery, or open one.

    Its times are from the device's partition, whose clock may be wrong: the future counts as now.
    """
    body = no_later(body, step.now, "enrolled_at", "announced_at")
    known = step.state.devices.get(body.device)
    if known is not None and _is_same(step, known, body):
        _describe(step, body, known)
        _hinted(step, body.device)
        return
    device = KnownDevice(
        platform=body.platform,
        serial=body.serial,
        friendly_name=body.friendly_name,
        joined_at=body.enrolled_at,
        enrolled_on=body.enrolled_on,
        announced_at=body.announced_at,
    )
    step.set(devices={**step.state.devices, body.device: device})
    forget_unused(step)
    step.note("device.joined", device=body.device)
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        open_delivery(step, Trigger.DEVICE_REPLACEMENT if known else Trigger.ENROLMENT)
    else:
        join_open(step, body.device, body.enrolled_at)


def _hinted(step: Holder, device: SubjectKey) -> None:
    """A notification concerns a device that has a set: look whether it still has it.

    Many notifications in a row lead to one look, and the next one comes only after a pause.
    """
    route = route_of(step)
    if route is None or set_on(step.state, device) is None:
        return
    due = max(step.now, (step.state.looked_at or 0) + route.look_every.cap)
    look = step.state.look
    if look is None or (not look.attempts and due < look.due):  # a fault keeps its back-off
        step.set(look=Check(due=due))


def _is_same(step: Holder, known: KnownDevice, body: DeviceJoined) -> bool:
    """Whether an announcement is about the known enrolment.

    The UEM's own time of the enrolment decides. Where it shows none or the same one, two
    announcements are one enrolment if they happened or were received close to each other: senders
    may write local times, and the two spellings of one enrolment may differ in that. A time in the
    future, which earlier versions stored, is ignored.
    """
    if None not in (known.enrolled_on, body.enrolled_on) and _later(body, known) >= SECOND:
        return False
    if known.joined_at <= step.now and body.enrolled_at - known.joined_at < SAME_ENROLMENT:
        return True
    if known.announced_at is None or body.announced_at is None:
        return False
    return body.announced_at - known.announced_at < SAME_ENROLMENT


def _later(body: DeviceJoined, known: KnownDevice) -> Millis:
    return (body.enrolled_on or 0) - (known.enrolled_on or 0)


def _describe(step: Holder, body: DeviceJoined, known: KnownDevice) -> None:
    described = known.model_copy(
        update={
            "platform": body.platform or known.platform,
            "serial": body.serial or known.serial,
            "friendly_name": body.friendly_name or known.friendly_name,
            "enrolled_on": body.enrolled_on or known.enrolled_on,
        }
    )
    if described != known:
        step.set(devices={**step.state.devices, body.device: described})


def join_open(step: Holder, device: SubjectKey, joined_at: Millis) -> None:
    """Wait for a device in the open delivery, from the beginning."""
    delivery = step.state.delivery
    if delivery is None:
        return
    entry = DeviceInDelivery(since=step.now, joined_at=joined_at)
    change(step, devices={**delivery.devices, device: entry})
    if delivery.phase is Phase.AWAITING_INSTALL:
        change(step, deadline=max(delivery.deadline, step.now + deadline_of(step)))
        if delivery.step is Effect.LOOK_INSTALLED:  # looks have become rare, and this device is new
            change(step, due=step.now, attempts=0)
        step.set(look=Check(due=step.now))  # the UEM sends it the set; check the user
    elif delivery.phase is Phase.AWAITING_PURGE:
        _reopen(step)


def _reopen(step: Holder) -> None:
    """Back to waiting, or to planning if the copy will not live long enough for another device."""
    if copy_lives(step.state.copy_, step.now):
        move(step, Phase.AWAITING_INSTALL, Effect.LOOK_INSTALLED)
        step.set(look=Check(due=step.now))
    else:
        move(step, Phase.PLANNING, Effect.LOOK_UP)


def copy_lives(copy: Copy, now: Millis) -> bool:
    """Whether the copy will exist long enough for another device to install it."""
    known = copy.state is CopyState.PRESENT and copy.since is not None
    return known and now < (copy.since or 0) + copy.retention // 2


def left(step: Holder, body: DeviceLeft) -> None:
    """Remove a device that is not the holder's any more."""
    remove(step, body.device, body.why)


def doubted(step: Holder) -> None:
    """A device may have left: fetch no keys before the next look."""
    delivery = step.state.delivery
    if delivery is None or not delivery.open or step.state.running is not None:
        return
    if delivery.step is Effect.HAND_OVER:
        change(step, step=Effect.LOOK_UP)


def remove(step: Holder, device: SubjectKey, why: str) -> None:
    """Take a device out, and end it in the open delivery."""
    if device not in step.state.devices:
        return
    rest = {key: known for key, known in step.state.devices.items() if key != device}
    step.set(devices=rest)
    forget_unused(step)
    step.note("device.left", reason=why, device=device)
    delivery = step.state.delivery
    if delivery is not None and delivery.open and device in delivery.devices:
        entry = delivery.devices[device].model_copy(
            update={"phase": DevicePhase.LEFT, "since": step.now, "why": why}
        )
        devices = {**delivery.devices, device: entry}
        change(step, devices=devices)
        if all(other.phase is DevicePhase.LEFT for other in devices.values()):
            end(step, Phase.CANCELLED, why="left")


def synchronise(step: Holder, facts: Mapping[str, DeviceFacts]) -> None:
    """Make the known devices agree with what the UEM shows of the user.

    This repairs lost notifications: an enrolled device that was not announced joins, one that is
    shown as not enrolled leaves. The device itself gets an event to look up its user, so that it
    knows which holder to tell when it leaves, and tells the holder who had it before.

    Raises:
        Transient: ``UEM-009`` when a known device is not shown at all. Its own look decides whether
            it left; until then others may be missing as well, also one that must not get keys.
    """
    tenant = parse_subject(step.state.key).tenant
    seen = {subject_key(tenant, SubjectKind.DEVICE, key): device for key, device in facts.items()}
    missing = [key for key in step.state.devices if key not in seen]
    for key in missing:
        step.tell(key, DeviceChanged(what="not with the user", missed_by=step.state.key))
    for key in tuple(step.state.devices):
        if key in seen and not seen[key].enrolled:
            step.tell(key, DeviceChanged(what="not enrolled"))
            remove(step, key, "not enrolled for this user")
    for key, device in seen.items():
        if device.enrolled and key not in step.state.devices:
            step.tell(key, DeviceChanged(what="found", seen_with=step.state.key))
            joined(
                step,
                DeviceJoined(
                    device=key,
                    platform=device.platform,
                    serial=device.serial,
                    friendly_name=device.friendly_name,
                    enrolled_at=step.now,
                    enrolled_on=device.enrolled_on,
                ),
            )
    if missing:
        raise Transient("UEM-009", f"looking at a user: {len(missing)} known devices are missing")
