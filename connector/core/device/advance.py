"""``advance`` of a device: what a notification or the outcome of a look leads to."""

from connector.core.device.looks import SETTLING, hand_on, looked
from connector.core.device.schedule import elapsed, schedule
from connector.core.device.stepped_back import correct
from connector.core.events import (
    DeviceChanged,
    DeviceEnrolled,
    DeviceLeft,
    DeviceUnenrolled,
    Event,
)
from connector.core.facts import DeviceLookedUp, Elapsed, Fact, Looked, TimeSteppedBack
from connector.core.model import LONGEST_TEXT, Millis, SubjectKey
from connector.core.policy import Rules
from connector.core.states import DeviceState, DeviceStatus
from connector.core.step import Step, outcome_of


def advance(state: DeviceState, fact: Fact, now: Millis, rules: Rules) -> Step[DeviceState]:
    """Advance a device by one fact.

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
        case DeviceLookedUp(answer=answer) if fact.basis == state.version:
            looked(step, answer)
        case Elapsed():
            elapsed(step)
            return step
        case TimeSteppedBack():
            correct(step)
            step.keep_if_equal(state)
            return step
        case Looked():
            step.moment("stale_fact", subject="device")
            step.note(
                "look.stale_outcome", reason=fact.effect.value, outcome=outcome_of(fact.fault)
            )
        case _:
            step.moment("stale_fact", subject="device")
    if step.state is not state:
        schedule(step)
    return step


def _on_event(step: Step[DeviceState], event: Event) -> None:
    match event.body:
        case DeviceEnrolled() as body:
            _enrolled(step, event, body)
        case DeviceChanged() as body:
            if body.seen_with is not None:
                _claimed(step, body.seen_with)
            if body.missed_by is not None:
                _missed(step, body.missed_by)
            step.set(enrolled_at=step.state.enrolled_at or _happened(step, event))
        case DeviceUnenrolled() as body:
            _unenrolled(step, event, body)
        case _:
            step.note("event.ignored", outcome="EVT-005")
            return
    _look_again(step, event)


def _happened(step: Step[DeviceState], event: Event) -> Millis:
    """When it happened according to the sender. A time in the future counts as now."""
    received = min(event.received_at, step.now)
    return received if event.occurred_at is None else min(event.occurred_at, received)


def _enrolled(step: Step[DeviceState], event: Event, body: DeviceEnrolled) -> None:
    state, happened = step.state, _happened(step, event)
    if happened < (state.unenrolled_at or 0):
        step.moment("hint_outdated", event="device_enrolled")
    step.set(
        enrolled_at=max(happened, min(state.enrolled_at or 0, step.now)),
        announced=True,
        announced_at=min(event.received_at, step.now),
        platform=body.platform or state.platform,
    )


def _unenrolled(step: Step[DeviceState], event: Event, body: DeviceUnenrolled) -> None:
    """An un-enrolment is a hint too: the look decides, even if it is older than the enrolment."""
    state, happened = step.state, _happened(step, event)
    if happened < (state.enrolled_at or 0):
        step.moment("hint_outdated", event="device_unenrolled")
    step.set(
        unenrolled_at=max(happened, min(state.unenrolled_at or 0, step.now)),
        unenrolled_why=body.why,
    )
    if state.holder is not None:
        step.tell(state.holder, DeviceChanged(what=f"announced: {body.why}"[:LONGEST_TEXT]))


def _claimed(step: Step[DeviceState], holder: SubjectKey) -> None:
    """A holder's look showed the device with that user; if the device's look differs, tell them."""
    hand_on(step, holder)
    step.set(holder=holder)


def _missed(step: Step[DeviceState], holder: SubjectKey) -> None:
    """A holder's look did not show a device of theirs: look at it, and tell the holder."""
    if step.state.holder is None:
        step.set(holder=holder)
    elif step.state.holder != holder:
        step.tell(holder, DeviceLeft(device=step.state.key, why="changed hands"))


def _look_again(step: Step[DeviceState], event: Event) -> None:
    step.set(
        status=DeviceStatus.LOOKING,
        attempts=0,
        deadline=step.now + step.rules.device_deadline,
        settles_at=step.now + SETTLING,
        ended_at=None,
        cause=event.id,
        trouble=None,
    )
