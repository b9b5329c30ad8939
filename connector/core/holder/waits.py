"""How long an act may still have its effect, on a clock that cannot jump.

Journal time follows small steps of the wall clock, so it can run ahead of the time elapsed.
The waits that keep two acts apart are counted on the clock of the machine's boot instead; journal
time only says when to look at that clock again.
"""

from connector.core.boot_time import Awaited
from connector.core.holder.lifecycle import Holder, route_of
from connector.core.model import SECOND, Millis
from connector.core.states import CopyState, Running

DEFAULT_LIMIT: Millis = 60 * SECOND


def margin_of(step: Holder) -> Millis:
    """What is added to an act's limit before it counts as over, in milliseconds."""
    route = route_of(step)
    return 5 * SECOND if route is None else route.hand_over_margin


def begun(step: Holder, limit: Millis) -> Awaited:
    """The wait for an act that begins now."""
    now = step.rules.boot
    return Awaited(boot=now.boot, since=now.at, lasts=limit + margin_of(step))


def is_ours(step: Holder, running: Running) -> bool:
    """Whether this owner began an act, or has already found it open."""
    return running.epoch == step.rules.epoch and running.awaited is not None


def found(step: Holder, running: Running) -> Awaited:
    """The wait for an act of an earlier owner: what is left of it by the clock it began on.

    If that clock is not ours, the whole wait begins now.
    """
    if running.awaited is None:
        return begun(step, running.limit)
    return running.awaited.counted_on(step.rules.boot)


def left_of(step: Holder, running: Running) -> Millis:
    """How long an act without an outcome may still have its effect."""
    return found(step, running).left(step.rules.boot)


def until_quiet(step: Holder) -> Millis:
    """How long an upload with unknown outcome may still reach the UEM; kept in the state."""
    copy = step.state.copy_
    if copy.state is not CopyState.PERHAPS:
        return 0
    route = route_of(step)
    limit = DEFAULT_LIMIT if route is None else route.hand_over_limit
    before = copy.awaited or begun(step, limit)
    awaited = before.counted_on(step.rules.boot)
    left = awaited.left(step.rules.boot)
    if left:
        step.set(copy_=copy.model_copy(update={"awaited": awaited, "not_after": step.now + left}))
    return left
