"""What a device waits for next: the next look, a deadline, or the removal of its record."""

from connector.core.device.looks import lose, overdue
from connector.core.model import SECOND, Millis, parse_subject
from connector.core.policy import Retry
from connector.core.retry import backoff
from connector.core.states import DeviceState, DeviceStatus, Effect, Want
from connector.core.step import Step

SETTLING_LOOKS = Retry(first=15 * SECOND, cap=300 * SECOND)
"""When a look is repeated that contradicts a notification: about six times until it counts."""


def schedule(step: Step[DeviceState]) -> None:
    """Compute the wants of the state."""
    step.set(wants=(*_look(step), *waits(step)))


def elapsed(step: Step[DeviceState]) -> None:
    """The deadline has passed; while deadlines are suspended, check it again later."""
    if step.state.ended_at is not None:
        _let_go(step)
        return
    if overdue(step):
        lose(step, step.state.trouble)
        schedule(step)
        return
    looks = tuple(want for want in step.state.wants if want.effect is not Effect.WAIT)
    step.set(wants=(*looks, *waits(step)))


def _look(step: Step[DeviceState]) -> tuple[Want, ...]:
    """The next look: at once, after a failure, or because the last one contradicted a hint."""
    state = step.state
    looking = state.status is DeviceStatus.LOOKING
    if not looking and state.settles_at is None:
        return ()
    wait = 0
    if state.trouble is not None or not looking:
        retry = step.rules.device_retry if looking else SETTLING_LOOKS
        wait = backoff(retry, state.attempts, step.rules.dice, state.trouble)
    tenant = parse_subject(state.key).tenant
    lane = f"{Effect.LOOK_UP_DEVICE.value}:@{tenant}"
    return (Want(effect=Effect.LOOK_UP_DEVICE, due=step.now + wait, lane=lane),)


def waits(step: Step[DeviceState]) -> tuple[Want, ...]:
    """The deadline of the looks, or when the record of a device that has ended is removed."""
    state = step.state
    if state.status is DeviceStatus.LOOKING:
        due = state.deadline
    else:
        due = None if state.ended_at is None else _forgotten_at(step)
    return () if due is None else (step.deadline(due),)


def _forgotten_at(step: Step[DeviceState]) -> Millis:
    return (step.state.ended_at or step.now) + step.rules.ended_kept


def _let_go(step: Step[DeviceState]) -> None:
    """Remove a device that left or was lost long ago; a later event makes a new record."""
    if step.now >= _forgotten_at(step) and not step.rules.deadlines_held:
        step.gone = True
    else:
        schedule(step)
