"""Acts of people, in the order of the journal."""

from connector.core.events import (
    CancelRequested,
    DeliveryRequested,
    GenerationDropped,
    IdentityConfirmed,
    IdentityForgotten,
    PlanRequested,
    RetryRequested,
)
from connector.core.holder.changes import supersede
from connector.core.holder.lifecycle import Holder, change, end, open_delivery, route_of
from connector.core.model import DAY
from connector.core.states import Dropped, Identity, Phase, Trigger

HumanBody = (
    DeliveryRequested
    | RetryRequested
    | CancelRequested
    | IdentityConfirmed
    | IdentityForgotten
    | GenerationDropped
    | PlanRequested
)


def acted(step: Holder, body: HumanBody) -> None:
    """Apply one act; what does not fit the state is audited and changes nothing."""
    applied = _apply(step, body)
    step.note(
        f"person.{body.kind}",
        actor=body.by,
        reason=body.reason,
        outcome="ok" if applied else "DLV-006",
        delivery=step.state.delivery.id if step.state.delivery else None,
        generations=(body.fingerprint,) if isinstance(body, GenerationDropped) else (),
    )


def _apply(step: Holder, body: HumanBody) -> bool:
    match body:
        case DeliveryRequested():
            return _deliver(step, body.by)
        case RetryRequested():
            return _retry(step, body.by)
        case CancelRequested():
            return _cancel(step)
        case IdentityConfirmed():
            return _confirm(step, body.by)
        case PlanRequested() | IdentityForgotten():
            if isinstance(body, IdentityForgotten):
                step.set(identity=None, delivered=(), last_digest=None)
            return True  # of a look at a plan only the audit record stays
        case GenerationDropped():
            return _drop(step, body)


def _deliver(step: Holder, by: str) -> bool:
    delivery = step.state.delivery
    if delivery is not None and delivery.open:
        supersede(step, delivery, trigger=Trigger.REDELIVERY, by=by)
    else:
        open_delivery(step, Trigger.REDELIVERY, by=by)
    return True


def _retry(step: Holder, by: str) -> bool:
    delivery = step.state.delivery
    if delivery is None or delivery.phase is Phase.COMPLETED:
        return False
    if not delivery.open:
        open_delivery(step, Trigger.REDELIVERY, by=by)
        return True
    route = route_of(step)
    deadline = step.now + (route.phase_deadline if route else 14 * DAY)
    change(step, due=step.now, attempts=0, deadline=deadline)
    return True


def _cancel(step: Holder) -> bool:
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return False
    end(step, Phase.CANCELLED, why="by hand")
    return True


def _confirm(step: Holder, by: str) -> bool:
    identity = step.state.identity
    if identity is None or identity.conflicting is None:
        return False
    step.set(identity=Identity(pinned=identity.conflicting, pinned_at=step.now, confirmed_by=by))
    delivery = step.state.delivery
    if delivery is not None and not delivery.open and step.state.devices:
        open_delivery(step, Trigger.REDELIVERY, by=by)
    return True


def _drop(step: Holder, body: GenerationDropped) -> bool:
    known = {generation.fingerprint for generation in step.state.generations}
    known |= {sent.fingerprint for sent in step.state.delivered}
    if body.fingerprint not in known:
        return False
    keys = {g.public_key for g in step.state.generations if g.fingerprint == body.fingerprint}
    kept = tuple(
        sent
        for sent in step.state.delivered
        if sent.fingerprint != body.fingerprint and sent.public_key not in keys
    )
    before = tuple(d for d in step.state.dropped if d.fingerprint != body.fingerprint)
    drop = Dropped(fingerprint=body.fingerprint, by=body.by, reason=body.reason, at=step.now)
    step.set(dropped=(*before, drop), delivered=kept)
    return True
