"""Handle a fault of a look or an act: the open delivery tries again later, or fails."""

from connector.core.errors import Family, Fault, Scope
from connector.core.holder.lifecycle import Holder, change, fail, route_of
from connector.core.model import Millis
from connector.core.retry import backoff


def retry_later(step: Holder, fault: Fault, *, not_before: Millis = 0, disclosed: int = 0) -> None:
    """Try the present step again after a back-off.

    A fault of the upstream uses up no attempt, because its circuit breaker holds back the next try.
    If keys were ``disclosed``, it does: the breaker is closed by the next good look, and without a
    back-off the keys would leave escrow again a second later.
    """
    delivery = step.state.delivery
    route = route_of(step)
    if delivery is None:
        return
    policy = route.retry if route is not None else step.rules.device_retry
    used = 1 if disclosed or fault.scope is Scope.SUBJECT else 0
    attempts = delivery.attempts + used
    due = step.now + backoff(policy, attempts, step.rules.dice, fault)
    change(step, attempts=attempts, due=max(due, not_before), trouble=fault)
    step.moment("retry", operation=delivery.step.value, error_code=fault.code)


def refuse(step: Holder, fault: Fault, *, disclosed: int = 0) -> None:
    """Retry or fail the open delivery, by the fault of a look or an act.

    ``disclosed``: how many keys the act fetched.
    """
    if fault.family is Family.TRANSIENT or fault.scope is Scope.UPSTREAM:
        retry_later(step, fault, disclosed=disclosed)
    else:
        fail(step, fault.code, fault.detail, fault=fault)
