"""Handle a fault of a look or an act: the open delivery tries again later, or fails."""

from connector.core.errors import Family, Fault, Scope
from connector.core.holder.lifecycle import Holder, change, fail, route_of
from connector.core.model import Millis
from connector.core.retry import backoff


def retry_later(step: Holder, fault: Fault, *, not_before: Millis = 0) -> None:
    """Try the present step again after a back-off; a fault of the upstream uses up no attempt."""
    delivery = step.state.delivery
    route = route_of(step)
    if delivery is None:
        return
    policy = route.retry if route is not None else step.rules.device_retry
    used = 0 if fault.scope == "upstream" else 1
    attempts = delivery.attempts + used
    due = step.now + backoff(policy, attempts, step.rules.dice, fault)
    change(step, attempts=attempts, due=max(due, not_before), trouble=fault)
    step.moment("retry", operation=delivery.step.value, error_code=fault.code)


def refuse(step: Holder, fault: Fault) -> None:
    """Retry or fail the open delivery, by the fault of a look or an act."""
    if fault.family is Family.TRANSIENT or fault.scope is Scope.UPSTREAM:
        retry_later(step, fault)
    else:
        fail(step, fault.code, fault.detail, fault=fault)
