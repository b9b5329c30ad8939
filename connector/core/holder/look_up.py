"""The look at the user: whether they exist, which route serves them, and their identity."""

from connector.core.errors import ConnectorError, Family, Fault, Permanent
from connector.core.events import HolderForgotten, HolderRegistered
from connector.core.holder.device_eligibility import judge_devices, remember_profiles
from connector.core.holder.devices import synchronise
from connector.core.holder.lifecycle import Holder, change, move, route_of
from connector.core.holder.progress import end_without_profile
from connector.core.holder.retrying import refuse
from connector.core.identity import observed_pair, same_pair
from connector.core.model import (
    HolderFacts,
    IdentityPair,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import RoutePolicy, route_for
from connector.core.states import Delivery, Effect, Phase

ANOTHER = Fault(
    code="UEM-005",
    family=Family.PERMANENT,
    detail="looking up a user: the answer is about a user with another id",
)


def about(holder: SubjectKey, answer: HolderFacts | Fault | None) -> HolderFacts | Fault | None:
    """The answer to a look at a holder; a fault when it is about a user with another id.

    One user under two keys would have two identities, two histories and two copies.
    """
    if isinstance(answer, HolderFacts) and answer.id != parse_subject(holder).id:
        return ANOTHER
    return answer


def looked_up(step: Holder, facts: HolderFacts | Fault | None) -> None:
    """The outcome of a look at the user and their devices."""
    if isinstance(facts, Fault):
        refuse(step, facts)
        return
    try:
        _judge_user(step, facts)
    except ConnectorError as error:
        refuse(step, error.fault())


def active(facts: HolderFacts | None) -> HolderFacts:
    """The user, if they exist and are active.

    Raises:
        Permanent: ``USR-001`` or ``USR-002``.
    """
    if facts is None:
        raise Permanent("USR-001", "the UEM does not know this user")
    if not facts.active:
        raise Permanent("USR-002", "the user is inactive in the UEM")
    return facts


def _judge_user(step: Holder, found: HolderFacts | None) -> None:
    facts = active(found)
    step.set(name=facts.name, mail=facts.mail)
    route = _route(step, facts)
    if route is None:
        return
    synchronise(step, {device.id: device for device in facts.devices})
    remember_profiles(step, facts)
    end_without_profile(step)
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return
    judge_devices(step, route, facts.devices)
    pair = observed_pair(facts, route)
    same_identity(step, pair)
    _register(step, route, pair)
    _onward(step, delivery)


def _onward(step: Holder, before: Delivery) -> None:
    """After a good look: continue planning, or (if it was the look before the fetch) hand over.

    A hand-over keeps its place in the queue: at the end of it the look would be too old again
    before its turn.
    """
    change(step, looked_up_at=step.now, address=step.state.mail.lower(), trouble=None)
    if before.phase is Phase.HANDING_OVER:
        move(step, Phase.HANDING_OVER, Effect.HAND_OVER, due=min(before.due, step.now))
    else:
        move(step, Phase.PLANNING, Effect.LIST)


def _route(step: Holder, facts: HolderFacts) -> RoutePolicy | None:
    """Choose the route, once per delivery; the delivery pins it.

    None if the route changed: the look is repeated with the new route's profiles, because a
    status seen of another profile would prove nothing.
    """
    delivery = step.state.delivery
    pinned = delivery is not None and delivery.looked_up_at is not None
    if pinned:
        route = route_of(step)
        if route is None:
            raise Permanent("USR-007", "the route of this delivery is not configured any more")
        return route
    chosen = route_for(step.rules.routes, parse_subject(step.state.key).tenant, facts)
    if chosen.name != step.state.route:
        step.set(route=chosen.name)
        change(step, due=step.now, deadline=step.now + chosen.phase_deadline)
        return None
    return chosen


def same_identity(step: Holder, pair: IdentityPair) -> None:
    """Check that the pair agrees with the pinned one; no other is used at the CA.

    Raises:
        Permanent: ``IDN-001`` when it does not.
    """
    identity = step.state.identity
    if identity is None or same_pair(identity.pinned, pair):
        step.set(observed=pair)
        if identity is not None and identity.conflicting is not None:
            step.set(identity=identity.model_copy(update={"conflicting": None}))
        return
    step.set(identity=identity.model_copy(update={"conflicting": pair}))
    step.note("identity.changed", outcome="IDN-001", route=step.state.route)
    raise Permanent("IDN-001", "the user's identity attributes are not those pinned before")


def _register(step: Holder, route: RoutePolicy, pair: IdentityPair) -> None:
    """Register the holder with the person before listing, so that no change is missed."""
    person = subject_key(route.ca, SubjectKind.PERSON, pair.person)
    if step.state.person_key == person:
        return
    if step.state.person_key is not None:
        step.tell(step.state.person_key, HolderForgotten(holder=step.state.key))
    step.tell(person, HolderRegistered(holder=step.state.key))
    step.set(person_key=person)
