"""The record of an act, made before the act is done."""

from typing import Any

from connector.core.holder import waits
from connector.core.holder.lifecycle import Holder
from connector.core.model import Millis
from connector.core.states import Effect, Running


def record(step: Holder, effect: Effect, limit: Millis, **needs: Any) -> int:
    """Record an act, with all that it needs: it is done from this record alone.

    Args:
        step: of the holder.
        effect: the act.
        limit: how long it may take, in milliseconds.
        needs: see :class:`Running`; route and person are those of the holder.

    Returns:
        The number of the attempt.
    """
    state = step.state
    running = Running(
        effect=effect,
        attempt=state.attempt + 1,
        started_at=step.now,
        limit=limit,
        epoch=step.rules.epoch,
        awaited=waits.begun(step, limit),
        route=state.route or "",
        person=state.observed.person if state.observed else "",
        **needs,
    )
    step.set(running=running, attempt=running.attempt)
    return running.attempt
