"""Retention: remove ended deliveries after a time, then a holder without anything to keep.

The identity pin and the generations delivered stay until a person forgets them: without them the
next delivery could go to another person, or leave out a key.
"""

from connector.core.events import HolderForgotten
from connector.core.holder.lifecycle import Holder, route_of
from connector.core.model import IdentityPair, Millis
from connector.core.states import CopyState, Delivery, HolderState, Identity


def due(step: Holder) -> Millis | None:
    """When something may be removed next, or None."""
    ends = [delivery.ended_at for delivery in _ended(step.state) if delivery.ended_at is not None]
    return min(ends) + _kept(step) if ends else None


def let_go(step: Holder) -> None:
    """Remove deliveries that ended long ago, and the holder if nothing else is left."""
    if step.rules.deadlines_held:
        return
    over = {delivery.id for delivery in _ended(step.state) if _is_over(step, delivery)}
    if over:
        state = step.state
        history = tuple(one for one in state.history if one.id not in over)
        kept = None if state.delivery is None or state.delivery.id in over else state.delivery
        step.set(history=history, delivery=kept)
    if over and _is_empty(step.state):
        _leave(step)


def forget(step: Holder, by: str) -> None:
    """A person forgets the holder: remove what was delivered, and then the holder if that is all.

    ``by`` names the person who has seen the pair that stays pinned where there is more.
    """
    seen = newest_pair(step.state)
    leaves = has_left(step.state)
    kept = (
        None
        if leaves or seen is None
        else Identity(pinned=seen, pinned_at=step.now, confirmed_by=by)
    )
    step.set(identity=kept, delivered=(), last_digest=None)
    if leaves:
        _leave(step)


def newest_pair(state: HolderState) -> IdentityPair | None:
    """The pair that the newest look showed: the one that waits to be confirmed, else the pinned."""
    known = state.identity
    return None if known is None else known.conflicting or known.pinned


def has_left(state: HolderState) -> bool:
    """Whether nothing is left of a holder but what has ended."""
    return _is_idle(state) and not (state.delivery and state.delivery.open)


def _leave(step: Holder) -> None:
    if step.state.person_key is not None:
        step.tell(step.state.person_key, HolderForgotten(holder=step.state.key))
    step.gone = True


def _ended(state: HolderState) -> tuple[Delivery, ...]:
    """The deliveries that may be removed: the last one only if nothing depends on it."""
    last = state.delivery
    if last is None or last.open or not _is_idle(state):
        return state.history
    return (*state.history, last)


def _is_idle(state: HolderState) -> bool:
    """Whether no device is enrolled, the copy is gone, and nothing is open at CA or UEM."""
    at_rest = state.copy_.state in {CopyState.NONE, CopyState.GONE} and not state.requests
    at_rest = at_rest and state.running is None and state.check is None and state.look is None
    return at_rest and not state.devices


def _is_empty(state: HolderState) -> bool:
    delivered = state.delivery is not None or state.history or state.delivered or state.dropped
    return _is_idle(state) and state.identity is None and not delivered


def _is_over(step: Holder, delivery: Delivery) -> bool:
    ended = delivery.ended_at
    return ended is not None and step.now >= ended + _kept(step)


def _kept(step: Holder) -> Millis:
    route = route_of(step)
    return step.rules.ended_kept if route is None else route.history_kept
