"""What the holder waits for next, computed from the state after every step."""

from connector.core.holder import purge, retention
from connector.core.holder.lifecycle import Holder, route_of
from connector.core.holder.recovery import unneeded
from connector.core.holder.waits import left_of
from connector.core.model import SECOND, Millis, parse_subject
from connector.core.states import CopyState, Delivery, Effect, Phase, Want
from connector.core.step import wait_until


def schedule(step: Holder) -> None:
    """Compute the wants of the state. While an act is open, wait only for its end."""
    running = step.state.running
    if running is not None:
        step.set(wants=(wait_until(step.now + left_of(step, running)),))
        return
    looks = [*_check(step), *_look(step), *_copy(step)]
    acts = [*_delivery(step), *_clean_up(step)]
    step.set(wants=(*looks, *acts, *_retention(step)))


def _want(step: Holder, effect: Effect, due: Millis) -> Want:
    """A want in the route's lane, or in the UEM's for effects without a route."""
    by_uem = effect is Effect.LOOK_GONE or route_of(step) is None
    suffix = f"@{parse_subject(step.state.key).tenant}" if by_uem else step.state.route
    return Want(effect=effect, due=due, lane=f"{effect.value}:{suffix}")


def _check(step: Holder) -> list[Want]:
    check = step.state.check
    return [] if check is None else [_want(step, Effect.LIST, check.due)]


def _look(step: Holder) -> list[Want]:
    """The look at the user, unless the delivery looks at the user anyway."""
    look, delivery = step.state.look, step.state.delivery
    if look is None or (delivery is not None and delivery.open and delivery.step is Effect.LOOK_UP):
        return []
    return [_want(step, Effect.LOOK_UP, look.due)]


def _delivery(step: Holder) -> list[Want]:
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return []
    if delivery.phase is Phase.AWAITING_PURGE:
        return []
    deadline = step.deadline(delivery.deadline)
    if step.state.check is not None and delivery.phase is not Phase.AWAITING_INSTALL:
        return [deadline]
    return [_want(step, delivery.step, _due(step, delivery)), deadline]


def _due(step: Holder, delivery: Delivery) -> Millis:
    """When the delivery is due; no hand-over starts while an earlier upload may still arrive."""
    copy = step.state.copy_
    if delivery.step is Effect.HAND_OVER and copy.state is CopyState.PERHAPS:
        return max(delivery.due, copy.not_after or 0)
    return delivery.due


def _copy(step: Holder) -> list[Want]:
    due, alarm = purge.due(step.state.copy_), purge.alarm_at(step)
    looks = [] if due is None else [_want(step, Effect.LOOK_GONE, due)]
    return looks if alarm is None else [*looks, wait_until(max(alarm, step.now + SECOND))]


def _retention(step: Holder) -> list[Want]:
    due = retention.due(step)
    return [] if due is None else [step.deadline(due)]


def _clean_up(step: Holder) -> list[Want]:
    if not unneeded(step) or route_of(step) is None:
        return []
    return [_want(step, Effect.CLEAN_UP, step.state.requests_due or step.now)]
