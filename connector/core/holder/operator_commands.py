"""Commands of operators, applied in the order of the journal."""

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
from connector.core.holder.devices import copy_lives, join_open
from connector.core.holder.lifecycle import Holder, change, deadline_of, end, open_delivery
from connector.core.holder.push import push_by_hand
from connector.core.holder.retention import forget, has_left, newest_pair
from connector.core.identity import same_pair
from connector.core.model import IdentityPair, Millis, SubjectKey
from connector.core.states import (
    Delivery,
    DevicePhase,
    Dropped,
    Effect,
    HolderState,
    Identity,
    Phase,
    Trigger,
)

OtherBody = DeliveryRequested | RetryRequested | CancelRequested | GenerationDropped | PlanRequested
HumanBody = OtherBody | IdentityConfirmed | IdentityForgotten
DOES_NOT_FIT = "DLV-006"


def acted(step: Holder, body: HumanBody) -> None:
    """Apply one command; one that does not fit the state is audited and changes nothing."""
    refusal = _apply(step, body)
    named = body.pair if isinstance(body, IdentityConfirmed | IdentityForgotten) else None
    step.note(
        f"person.{body.kind}",
        actor=body.by,
        reason=body.reason,
        outcome=refusal or "ok",
        delivery=step.state.delivery.id if step.state.delivery else None,
        generations=(body.fingerprint,) if isinstance(body, GenerationDropped) else (),
        **(named.model_dump() if named else {}),
    )


def _apply(step: Holder, body: HumanBody) -> str | None:
    """Apply a command, or say with which code it is refused."""
    if isinstance(body, IdentityConfirmed):
        return _confirm(step, body)
    if isinstance(body, IdentityForgotten):
        return _forget(step, body)
    return None if _fitted(step, body) else DOES_NOT_FIT


def _fitted(step: Holder, body: OtherBody) -> bool:
    match body:
        case DeliveryRequested():
            return _deliver(step, body.by)
        case RetryRequested():
            return _retry(step, body.by)
        case CancelRequested():
            return _cancel(step)
        case PlanRequested():
            return True  # looking at a plan only leaves an audit record
        case GenerationDropped():
            return _drop(step, body)


def _deliver(step: Holder, by: str) -> bool:
    delivery = step.state.delivery
    if delivery is not None and delivery.open:
        supersede(step, delivery, trigger=Trigger.REDELIVERY, by=by)
    else:
        open_delivery(step, Trigger.REDELIVERY, by=by)
    return True


def can_retry(state: HolderState) -> bool:
    """Whether there is anything to try again: a delivery that failed or waits, or a device."""
    delivery = state.delivery
    if delivery is None:
        return False
    done = delivery.phase in {Phase.COMPLETED, Phase.AWAITING_PURGE}
    return not done or bool(_not_installed(state, delivery) or _lacking(state, delivery))


def discloses(state: HolderState, now: Millis) -> bool:
    """Whether keys leave escrow again for a retry: a profile is pushed only while a copy lives."""
    delivery = state.delivery
    if delivery is None:
        return False
    if delivery.phase is Phase.AWAITING_PURGE:
        lives = copy_lives(state.copy_, now)
        return not (lives and _not_installed(state, delivery))
    return not delivery.open


def _not_installed(state: HolderState, delivery: Delivery) -> list[SubjectKey]:
    devices = delivery.devices.items()
    ended = (key for key, device in devices if device.phase is DevicePhase.NOT_INSTALLED)
    return [key for key in ended if key in state.devices]


def _lacking(state: HolderState, delivery: Delivery) -> list[SubjectKey]:
    """Devices that have the set, but on which a part of it was not seen."""
    devices = delivery.devices.items()
    has = (key for key, one in devices if one.phase is DevicePhase.INSTALLED and one.code)
    return [key for key in has if key in state.devices]


def _retry(step: Holder, by: str) -> bool:
    delivery = step.state.delivery
    if delivery is None or not can_retry(step.state):
        return False
    if not delivery.open:
        open_delivery(step, Trigger.REDELIVERY, by=by)
        return True
    if delivery.phase is Phase.AWAITING_PURGE:
        again = _not_installed(step.state, delivery)
        if not again:  # only an upload brings the missing part to a device
            supersede(step, delivery, trigger=Trigger.REDELIVERY, by=by)
            return True
        for key in again:
            join_open(step, key, step.state.devices[key].joined_at)
    change(step, due=step.now, attempts=0, deadline=step.now + deadline_of(step))
    if push_by_hand(step):
        change(step, step=Effect.PUSH)
    return True


def _cancel(step: Holder) -> bool:
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return False
    end(step, Phase.CANCELLED, why="by hand")
    return True


def waiting_pair(state: HolderState, named: IdentityPair | None) -> IdentityPair | str:
    """The pair that waits for a confirmation, if it is the named one; otherwise the refusal's code.

    A pair that replaced the one that the person looked at has been looked at by no person.
    """
    waiting = state.identity.conflicting if state.identity else None
    if waiting is None:
        return DOES_NOT_FIT
    return waiting if named is not None and same_pair(waiting, named) else "IDN-005"


def _confirm(step: Holder, body: IdentityConfirmed) -> str | None:
    pair = waiting_pair(step.state, body.pair)
    if isinstance(pair, str):
        return pair
    step.set(identity=Identity(pinned=pair, pinned_at=step.now, confirmed_by=body.by))
    delivery = step.state.delivery
    if delivery is not None and not delivery.open and step.state.devices:
        open_delivery(step, Trigger.REDELIVERY, by=body.by)
    return None


def refused_to_forget(state: HolderState, named: IdentityPair | None) -> str | None:
    """The code with which forgetting the identity is refused, if it is.

    Of a holder of whom more is left, the pair that the next look would pin has to be named, so
    that a person has seen it.
    """
    seen = newest_pair(state)
    if has_left(state) or seen is None:
        return None
    return None if named is not None and same_pair(seen, named) else "IDN-005"


def _forget(step: Holder, body: IdentityForgotten) -> str | None:
    refusal = refused_to_forget(step.state, body.pair)
    if refusal is None:
        forget(step, body.by)
    return refusal


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
