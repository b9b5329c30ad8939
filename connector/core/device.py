"""The device's own small state machine: whose device is it?

A notification names a device for certain, its user only perhaps. The device looks itself and its
user up at the UEM and tells the holder that it joined or left; a device that changed hands tells
both. It remembers its holder, so that "device 15 left" can be understood when the user is gone from
the notification.
"""

from connector.core.errors import Family, Fault, Scope
from connector.core.events import (
    DeviceChanged,
    DeviceEnrolled,
    DeviceJoined,
    DeviceLeft,
    DeviceUnenrolled,
    Event,
)
from connector.core.facts import Elapsed, Fact, Looked
from connector.core.model import (
    SECOND,
    DeviceFacts,
    Millis,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import Rules
from connector.core.retry import backoff
from connector.core.states import DeviceState, DeviceStatus, Effect, Want
from connector.core.step import Step, outcome_of

HELD_LOOK = 60 * SECOND
"""How often a deadline that is held back is looked at again."""

TRANSITIONS: dict[DeviceStatus, frozenset[DeviceStatus]] = {
    DeviceStatus.UNKNOWN: frozenset({DeviceStatus.LOOKING, DeviceStatus.LEFT}),
    DeviceStatus.LOOKING: frozenset({DeviceStatus.ENROLLED, DeviceStatus.LEFT, DeviceStatus.LOST}),
    DeviceStatus.ENROLLED: frozenset({DeviceStatus.LOOKING, DeviceStatus.LEFT}),
    DeviceStatus.LEFT: frozenset({DeviceStatus.LOOKING}),
    DeviceStatus.LOST: frozenset({DeviceStatus.LOOKING, DeviceStatus.LEFT}),
}
"""Every change of status that may happen; ``docs/states.md`` is made from it."""


def advance(state: DeviceState, fact: Fact, now: int, rules: Rules) -> Step[DeviceState]:
    """What a fact makes of a device.

    Args:
        state: the device so far.
        fact: an event about it, or what a look brought back.
        now: journal time in milliseconds.
        rules: retry and deadline of device look-ups, dice.
    """
    step = Step(state, now, rules, cause=fact.id if isinstance(fact, Event) else state.cause)
    match fact:
        case Event():
            _on_event(step, fact)
        case Looked() if fact.basis == state.version:
            _on_look(step, fact)
        case Elapsed():
            _on_time(step)
            return step
        case Looked():
            step.moment("stale_fact", subject="device")
            step.note(
                "look.stale_outcome", reason=fact.effect.value, outcome=outcome_of(fact.fault)
            )
        case _:
            step.moment("stale_fact", subject="device")
    if step.state is not state:
        _schedule(step)
    return step


def _on_time(step: Step[DeviceState]) -> None:
    """The deadline has come; while it is held back, only the next look at it moves."""
    if step.state.ended_at is not None:
        _let_go(step)
        return
    if _overdue(step):
        _lost(step, step.state.trouble)
        _schedule(step)
        return
    looks = tuple(want for want in step.state.wants if want.effect is not Effect.WAIT)
    step.set(wants=(*looks, *_deadline(step)))


def _on_event(step: Step[DeviceState], event: Event) -> None:
    match event.body:
        case DeviceEnrolled() as body:
            _look_again(step, event)
            step.set(enrolled_at=event.occurred_at or event.received_at)
            if body.platform:
                step.set(platform=body.platform)
        case DeviceChanged() as body:
            if body.seen_with is not None:
                _claimed(step, body.seen_with)
            _look_again(step, event)
            first = step.state.enrolled_at or event.occurred_at or event.received_at
            step.set(enrolled_at=first)
        case DeviceUnenrolled() as body:
            _leave(step, body.why)
        case _:
            step.note("event.ignored", outcome="EVT-005")


def _claimed(step: Step[DeviceState], holder: SubjectKey) -> None:
    """A holder counts the device as his: whatever the look shows, he is told if it is not so."""
    _hand_on(step, holder)
    step.set(holder=holder)


def _look_again(step: Step[DeviceState], event: Event) -> None:
    step.set(
        status=DeviceStatus.LOOKING,
        attempts=0,
        deadline=step.now + step.rules.device_deadline,
        ended_at=None,
        cause=event.id,
        trouble=None,
    )


def _leave(step: Step[DeviceState], why: str, code: str = "ok") -> None:
    if step.state.holder is not None:
        step.tell(step.state.holder, DeviceLeft(device=step.state.key, why=why))
    step.set(
        status=DeviceStatus.LEFT,
        holder=None,
        enrolled_at=None,
        attempts=0,
        deadline=None,
        ended_at=step.now,
        trouble=None,
    )
    step.note("device.left", outcome=code, reason=why)


def _on_look(step: Step[DeviceState], fact: Looked) -> None:
    step.note("device.looked_up", outcome=outcome_of(fact.fault))
    if fact.fault is not None:
        _on_fault(step, fact.fault)
    elif not isinstance(fact.result, DeviceFacts):
        _leave(step, "unknown in the UEM", "USR-006")
    elif not fact.result.enrolled or fact.result.holder is None:
        _leave(step, "not enrolled")
    else:
        _found(step, fact.result, fact.result.holder)


def _on_fault(step: Step[DeviceState], fault: Fault) -> None:
    step.set(trouble=fault)
    if (fault.family is not Family.TRANSIENT and fault.scope is Scope.SUBJECT) or _overdue(step):
        _lost(step, fault)
    elif fault.scope is Scope.SUBJECT:
        step.set(attempts=step.state.attempts + 1)


def _overdue(step: Step[DeviceState]) -> bool:
    deadline = step.state.deadline
    looking = step.state.status is DeviceStatus.LOOKING
    return (
        looking and deadline is not None and step.now >= deadline and not step.rules.deadlines_held
    )


def _lost(step: Step[DeviceState], fault: Fault | None) -> None:
    step.set(status=DeviceStatus.LOST, deadline=None, ended_at=step.now)
    step.note("device.lost", outcome=fault.code if fault else "DLV-001")
    step.moment("device_lost", error_code=fault.code if fault else "DLV-001")


def _found(step: Step[DeviceState], facts: DeviceFacts, holder_id: str) -> None:
    tenant = parse_subject(step.state.key).tenant
    holder = subject_key(tenant, SubjectKind.HOLDER, holder_id)
    _hand_on(step, holder)
    step.set(
        status=DeviceStatus.ENROLLED,
        holder=holder,
        platform=facts.platform or step.state.platform,
        serial=facts.serial,
        friendly_name=facts.friendly_name,
        attempts=0,
        deadline=None,
        trouble=None,
    )
    enrolled_at = step.state.enrolled_at or step.now
    step.tell(
        holder,
        DeviceJoined(
            device=step.state.key,
            platform=step.state.platform,
            serial=facts.serial,
            friendly_name=facts.friendly_name,
            enrolled_at=enrolled_at,
        ),
    )
    step.set(announced_at=step.now)


def _hand_on(step: Step[DeviceState], holder: SubjectKey) -> None:
    """A device that changed hands tells the one who had it before."""
    before = step.state.holder
    if before is not None and before != holder:
        step.tell(before, DeviceLeft(device=step.state.key, why="changed hands"))
        step.note("device.changed_hands", before=before, holder=holder)


def _schedule(step: Step[DeviceState]) -> None:
    state = step.state
    if state.status is not DeviceStatus.LOOKING:
        step.set(wants=() if state.ended_at is None else (_wait(step, _forgotten_at(step)),))
        return
    wait = 0
    if state.trouble is not None:
        wait = backoff(step.rules.device_retry, state.attempts, step.rules.dice, state.trouble)
    tenant = parse_subject(state.key).tenant
    look = Want(
        effect=Effect.LOOK_UP_DEVICE,
        due=step.now + wait,
        lane=f"{Effect.LOOK_UP_DEVICE.value}:@{tenant}",
    )
    step.set(wants=(look, *_deadline(step)))


def _deadline(step: Step[DeviceState]) -> tuple[Want, ...]:
    deadline = step.state.deadline
    if deadline is None:
        return ()
    return (_wait(step, deadline),)


def _wait(step: Step[DeviceState], due: Millis) -> Want:
    held = step.now + HELD_LOOK if step.rules.deadlines_held else 0
    return Want(effect=Effect.WAIT, due=max(due, held), lane=Effect.WAIT.value)


def _forgotten_at(step: Step[DeviceState]) -> Millis:
    return (step.state.ended_at or step.now) + step.rules.ended_kept


def _let_go(step: Step[DeviceState]) -> None:
    """A device that left or was lost long ago needs no record; a later event begins it anew."""
    if step.now >= _forgotten_at(step) and not step.rules.deadlines_held:
        step.gone = True
    else:
        _schedule(step)
