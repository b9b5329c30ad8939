"""Opening, moving and ending deliveries."""

from collections import Counter

from connector.core.errors import Family, Fault
from connector.core.events import event_id
from connector.core.holder.transitions import TRANSITIONS
from connector.core.model import DAY, Millis, SubjectKey
from connector.core.policy import RoutePolicy
from connector.core.states import (
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    Effect,
    HolderState,
    Phase,
    Running,
    Trigger,
)
from connector.core.step import Step

Holder = Step[HolderState]

FALLBACK_DEADLINE: Millis = 14 * DAY
"""Deadline of a phase while the route is not known yet."""
MOST_COUNTED = 100
"""Limit of counted automatic deliveries while no route sets one."""
TOO_LONG = "DLV-001"
"""Why a device ends that no look could say anything of."""
ENDED_KEPT = 20
"""Maximum number of ended deliveries that stay in the state."""


def route_of(step: Holder) -> RoutePolicy | None:
    """The policy that the delivery is pinned to; None when it is unknown or was removed."""
    return None if step.state.route is None else step.rules.routes.get(step.state.route)


def open_delivery(
    step: Holder,
    trigger: Trigger,
    *,
    by: str = "connector",
    devices: dict[SubjectKey, DeviceInDelivery] | None = None,
) -> None:
    """Open a delivery for all known devices; the one before goes to the history.

    ``devices`` are entries to take over from a superseded delivery. An automatic delivery beyond
    the daily limit is opened and fails at once, so that operators see it.
    """
    state = step.state
    previous = state.delivery
    number = state.attempt + 1
    entries = {
        key: (devices or {}).get(key, DeviceInDelivery(since=step.now, joined_at=known.joined_at))
        for key, known in state.devices.items()
    }
    delivery = Delivery(
        id=event_id(state.key, "delivery", str(number))[:20],
        opened_at=step.now,
        trigger=trigger,
        by=by,
        previous=previous.id if previous else None,
        due=step.now,
        deadline=step.now + deadline_of(step),
        phase_since=step.now,
        devices=entries,
    )
    history = (*state.history, previous)[-ENDED_KEPT:] if previous else state.history
    step.set(delivery=delivery, history=history, attempt=number, check=None)
    step.note("delivery.opened", actor=by, reason=trigger.value, delivery=delivery.id)
    step.moment("delivery_opened", trigger=trigger.value)
    _count_automatic(step, by)


def _count_automatic(step: Holder, by: str) -> None:
    if by != "connector":
        return
    recent = tuple(at for at in step.state.automatic if at > step.now - DAY)
    route = route_of(step)
    if route is not None and len(recent) >= route.automatic_per_day:
        fail(step, "DLV-003", f"more than {route.automatic_per_day} in 24 hours: {_opened(step)}")
        return
    step.set(automatic=(*recent, step.now)[-MOST_COUNTED:])


def _opened(step: Holder) -> str:
    """The triggers of automatic deliveries within the last day, by delivery number."""
    state = step.state
    deliveries = (*state.history, *(() if state.delivery is None else (state.delivery,)))
    triggers = Counter(
        one.trigger.value.replace("_", " ")
        for one in deliveries
        if one.by == "connector" and one.opened_at > step.now - DAY
    )
    return ", ".join(f"{number} by {trigger}" for trigger, number in triggers.most_common())


def deadline_of(step: Holder) -> Millis:
    """How long a phase may take, in milliseconds."""
    route = route_of(step)
    return FALLBACK_DEADLINE if route is None else route.phase_deadline


def change(step: Holder, /, **changes: object) -> None:
    """Replace members of the open delivery."""
    delivery = step.state.delivery
    if delivery is not None:
        step.set(delivery=delivery.model_copy(update=changes))


def move(step: Holder, phase: Phase, effect: Effect, *, due: Millis | None = None) -> None:
    """Enter a phase with fresh tries and deadline, or go to another step of the same phase.

    Within a phase the failed tries are kept: otherwise the look before each try of a failing act
    would reset the back-off.

    Raises:
        ValueError: when :data:`TRANSITIONS` knows no such change; a program error.
    """
    delivery = step.state.delivery
    if delivery is None:
        return
    fresh: dict[str, object] = {"step": effect, "due": due or step.now}
    if phase is Phase.PLANNING:
        step.set(check=None)  # planning lists anyway
    if phase is not delivery.phase:
        _leave_phase(step, delivery, phase)
        fresh |= {"phase": phase, "phase_since": step.now, "deadline": step.now + deadline_of(step)}
        fresh |= {"attempts": 0}
    change(step, **fresh)


def _leave_phase(step: Holder, delivery: Delivery, phase: Phase) -> None:
    if (delivery.phase, phase) not in TRANSITIONS:
        msg = f"no transition from {delivery.phase} to {phase}"
        raise ValueError(msg)
    step.moment(
        "phase_left",
        step.now - delivery.phase_since,
        stage=delivery.phase.value,
        outcome=phase.value,
    )


def end(step: Holder, phase: Phase, *, code: str = "", why: str = "") -> None:
    """End the open delivery for good; what has ended stays ended."""
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return
    _leave_phase(step, delivery, phase)
    change(step, phase=phase, phase_since=step.now, ended_at=step.now, why=why or code)
    if code:
        give_up_waiting(step, code, code)
    else:  # ended by a person, all devices left, or they wait in the delivery that replaces it
        _stop_waiting(step, why)
    step.note(
        f"delivery.{phase.value}",
        outcome=code or "ok",
        reason=why,
        delivery=delivery.id,
        route=step.state.route,
    )
    step.moment(
        "delivery_ended",
        trigger=delivery.trigger.value,
        outcome=phase.value,
        error_code=code,
    )


def fail(step: Holder, code: str, detail: str = "", *, fault: Fault | None = None) -> None:
    """End the open delivery as failed, visibly, with a code that says what to do."""
    known = fault or Fault(code=code, family=Family.PERMANENT, detail=detail)
    if step.state.delivery is not None and step.state.delivery.open:
        change(step, trouble=known)
    end(step, Phase.FAILED, code=code, why=detail)


def give_up_waiting(step: Holder, why: str, code: str | None = None) -> None:
    """End waiting devices as not installed, with the reason, so that every enrolment ends."""
    delivery = step.state.delivery
    for device in () if delivery is None else waiting(delivery):
        give_up_device(step, device, why, code)


def give_up_device(step: Holder, device: SubjectKey, why: str, code: str | None = None) -> None:
    """Stop waiting for a device; its entry, the audit log and the metrics show it.

    Args:
        step: of the device's holder, with a delivery that the device waits in.
        device: which one.
        why: in words.
        code: why; None for the cause that the last look showed.
    """
    delivery = step.state.delivery
    if delivery is None:
        return
    entry = delivery.devices[device]
    known = code or entry.code or TOO_LONG
    ended = {
        "phase": DevicePhase.NOT_INSTALLED,
        "why": why,
        "since": step.now,
        "code": known,
        "code_since": entry.code_since if known == entry.code else step.now,
    }
    change(step, devices={**delivery.devices, device: entry.model_copy(update=ended)})
    step.note(
        "device.not_installed",
        outcome=known,
        reason=why,
        delivery=delivery.id,
        route=step.state.route,
        device=device,
    )
    step.moment("device_ended", outcome=DevicePhase.NOT_INSTALLED.value, error_code=known)


def _stop_waiting(step: Holder, why: str) -> None:
    """End the waiting devices with the delivery's reason."""
    delivery = step.state.delivery
    if delivery is None:
        return
    ended = {"phase": DevicePhase.NOT_INSTALLED, "why": why, "since": step.now}
    devices = {
        key: device.model_copy(update=ended) if device.phase is DevicePhase.WAITING else device
        for key, device in delivery.devices.items()
    }
    change(step, devices=devices)


def delivery_of(step: Holder, running: Running) -> Delivery | None:
    """The delivery that the act belongs to, if it is still open."""
    delivery = step.state.delivery
    mine = delivery is not None and delivery.id == running.delivery and delivery.open
    return delivery if mine else None


def waiting(delivery: Delivery) -> tuple[SubjectKey, ...]:
    """The devices of a delivery that have not ended."""
    return tuple(
        key for key, device in delivery.devices.items() if device.phase is DevicePhase.WAITING
    )
