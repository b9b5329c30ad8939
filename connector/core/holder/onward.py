"""Continue with a planned set: open requests at the CA, or start the hand-over."""

from connector.core.holder.lifecycle import Holder, move, route_of
from connector.core.model import RequestState
from connector.core.policy import RoutePolicy
from connector.core.states import Delivery, Effect, Phase

USABLE = frozenset({RequestState.PENDING, RequestState.GRANTED})


def missing(step: Holder) -> tuple[str, ...]:
    """The fingerprints of the set for which no usable request is known, each once."""
    delivery = step.state.delivery
    if delivery is None:
        return ()
    have = {r.fingerprint for r in step.state.requests if r.state in USABLE}
    wanted = dict.fromkeys(entry.fingerprint for entry in delivery.entries)
    return tuple(fingerprint for fingerprint in wanted if fingerprint not in have)


def proceed(step: Holder) -> None:
    """Begin the missing requests, wait for the open ones, or hand over."""
    delivery = step.state.delivery
    if delivery is None:
        return
    wanted = {entry.fingerprint for entry in delivery.entries}
    pending = any(
        request.state is RequestState.PENDING and request.fingerprint in wanted
        for request in step.state.requests
    )
    if missing(step):
        move(step, Phase.RECOVERING, Effect.BEGIN)
    elif pending:
        move(step, Phase.RECOVERING, Effect.LOOK_REQUESTS)
    else:
        hand_over(step)


def hand_over(step: Holder) -> None:
    """Look before you fetch, unless the last look is fresh."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    fresh = looked_lately(step, delivery, route)
    move(step, Phase.HANDING_OVER, Effect.HAND_OVER if fresh else Effect.LOOK_UP)


def looked_lately(step: Holder, delivery: Delivery, route: RoutePolicy) -> bool:
    """Whether the last good look at the user is fresh enough for keys to leave escrow."""
    looked = delivery.looked_up_at
    return looked is not None and 0 <= step.now - looked <= route.look_fresh
