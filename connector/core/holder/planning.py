"""Planning: who is it, are the devices fit, which generations, and is all that allowed?"""

from connector.core.errors import ConnectorError, Family, Fault, Permanent, Scope, Transient
from connector.core.events import HolderForgotten, HolderRegistered
from connector.core.facts import Listing
from connector.core.holder.devices import synchronise
from connector.core.holder.lifecycle import (
    Holder,
    change,
    end,
    fail,
    move,
    retry_later,
    route_of,
)
from connector.core.identity import agrees, observed_pair
from connector.core.model import (
    DeviceFacts,
    HolderFacts,
    IdentityPair,
    OpenRequest,
    ProfileStatus,
    RequestState,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import Mode, OtherDevices, RoutePolicy, UnknownSet
from connector.core.selection import Selection, select
from connector.core.states import (
    CopyState,
    Delivery,
    DevicePhase,
    Effect,
    Identity,
    KnownDevice,
    Phase,
)
from connector.core.step import outcome_of

USABLE = frozenset({RequestState.PENDING, RequestState.GRANTED})


def refuse(step: Holder, fault: Fault) -> None:
    """What a fault of a look or an act means for the open delivery."""
    if fault.family is Family.TRANSIENT or fault.scope is Scope.UPSTREAM:
        retry_later(step, fault)
    else:
        fail(step, fault.code, fault.detail, fault=fault)


def looked_up(step: Holder, facts: HolderFacts | None, fault: Fault | None) -> None:
    """The UEM showed the user and his devices (or not)."""
    step.note("holder.looked_up", outcome=outcome_of(fault), route=step.state.route)
    if fault is not None:
        refuse(step, fault)
        return
    try:
        _judge_user(step, facts)
    except ConnectorError as error:
        refuse(step, error.fault())


def _judge_user(step: Holder, facts: HolderFacts | None) -> None:
    if facts is None:
        raise Permanent("USR-001", "the UEM does not know this user")
    if not facts.active:
        raise Permanent("USR-002", "the user is inactive in the UEM")
    step.set(name=facts.name, mail=facts.mail)
    route = _route(step, facts)
    if route is None:
        return
    synchronise(step, {device.id: device for device in facts.devices})
    _remember_profiles(step, facts)
    delivery = step.state.delivery
    if delivery is None or not delivery.open:
        return
    _judge_devices(step, route, facts.devices)
    pair = observed_pair(facts, route)
    _same_identity(step, pair)
    _register(step, route, pair)
    _onward(step, delivery)


def _onward(step: Holder, before: Delivery) -> None:
    """After a good look: plan on, or (when it was the look before the fetch) hand over."""
    change(step, looked_up_at=step.now, address=step.state.mail.lower(), trouble=None)
    if before.phase is Phase.HANDING_OVER:
        move(step, Phase.HANDING_OVER, Effect.HAND_OVER)
    else:
        move(step, Phase.PLANNING, Effect.LIST)


def _route(step: Holder, facts: HolderFacts) -> RoutePolicy | None:
    """The route is chosen once per delivery and then pinned by it.

    None when another than before was chosen: the look is repeated with its profiles, because a
    status seen of another profile would prove nothing.
    """
    delivery = step.state.delivery
    pinned = delivery is not None and delivery.looked_up_at is not None
    if pinned:
        route = route_of(step)
        if route is None:
            raise Permanent("USR-007", "the route of this delivery is not configured any more")
        return route
    chosen = step.rules.route_for(parse_subject(step.state.key).tenant, facts)
    if chosen is None:
        raise Permanent("USR-003", "no route fits the user's group and mail domain")
    if chosen.name != step.state.route:
        step.set(route=chosen.name)
        change(step, due=step.now, deadline=step.now + chosen.phase_deadline)
        return None
    return chosen


def _remember_profiles(step: Holder, facts: HolderFacts) -> None:
    """A profile seen *not* installed before the upload makes a later *installed* mean something."""
    tenant = parse_subject(step.state.key).tenant
    by_key = {subject_key(tenant, SubjectKind.DEVICE, d.id): d for d in facts.devices}
    known: dict[SubjectKey, KnownDevice] = {
        key: entry.model_copy(update={"profile": by_key[key].profile})
        for key, entry in step.state.devices.items()
        if key in by_key
    }
    step.set(devices=known)
    delivery = step.state.delivery
    if delivery is None:
        return
    missing = {ProfileStatus.PENDING, ProfileStatus.NONE, ProfileStatus.ERROR}
    devices = {
        key: entry.model_copy(update={"not_installed_seen_at": step.now})
        if key in by_key and by_key[key].profile in missing
        else entry
        for key, entry in delivery.devices.items()
    }
    change(step, devices=devices)


def unfit_device(device: DeviceFacts, route: RoutePolicy) -> str | None:
    """Why a device must not get keys; None when it may."""
    if device.compromised:
        return "compromised"
    if route.gates.platforms and device.platform.lower() not in route.gates.platforms:
        return "platform not allowed"
    if route.gates.require_compliant and device.compliant is not True:
        return "not compliant"
    return None


def _judge_devices(step: Holder, route: RoutePolicy, devices: tuple[DeviceFacts, ...]) -> None:
    enrolled = [device for device in devices if device.enrolled]
    unfit = {device.id: unfit_device(device, route) for device in enrolled}
    fit = [device for device, why in unfit.items() if why is None]
    if not fit:
        raise Transient("USR-004", "no enrolled device is healthy and allowed by the gates")
    if len(fit) == len(enrolled):
        return
    if route.other_devices is OtherDevices.HOLD:
        raise Transient("USR-005", "another enrolled device of the user is not healthy or allowed")
    step.note(
        "devices.unhealthy_accepted",
        route=route.name,
        devices={device: why for device, why in unfit.items() if why is not None},
    )


def _same_identity(step: Holder, pair: IdentityPair) -> None:
    step.set(observed=pair)
    identity = step.state.identity
    if identity is None:
        return
    if identity.pinned == pair:
        if identity.conflicting is not None:
            step.set(identity=identity.model_copy(update={"conflicting": None}))
        return
    step.set(identity=identity.model_copy(update={"conflicting": pair}))
    step.note("identity.changed", outcome="IDN-001", route=step.state.route)
    raise Permanent("IDN-001", "the user's identity attributes are not those pinned before")


def _register(step: Holder, route: RoutePolicy, pair: IdentityPair) -> None:
    """The person must know the holder before it lists, so that no change falls in between."""
    person = subject_key(route.ca, SubjectKind.PERSON, pair.person)
    if step.state.person_key == person:
        return
    if step.state.person_key is not None:
        step.tell(step.state.person_key, HolderForgotten(holder=step.state.key))
    step.tell(person, HolderRegistered(holder=step.state.key))
    step.set(person_key=person)


def listed(step: Holder, listing: Listing | None, fault: Fault | None) -> None:
    """The CA showed the person's generations (or not)."""
    if fault is not None:
        step.note("escrow.listed", outcome=fault.code, route=step.state.route)
        refuse(step, fault)
        return
    if listing is None:
        return
    try:
        selection = choose(step, listing)
    except ConnectorError as error:
        step.note("escrow.listed", outcome=error.code, route=step.state.route)
        refuse(step, error.fault())
        return
    _adopt(step, listing, selection)


def choose(step: Holder, listing: Listing) -> Selection:
    """The set that this listing makes, for this holder, by his route.

    Raises:
        Permanent: ``IDN-…`` or ``KEY-…``.
    """
    route = route_of(step)
    pair = step.state.observed
    if route is None or pair is None:
        raise Permanent("USR-007", "the route of this holder is not configured any more")
    agrees(pair, listing.person, route)
    rules = route.selection().model_copy(
        update={
            "dropped": frozenset(drop.fingerprint for drop in step.state.dropped),
            "delivered": tuple(sent.public_key for sent in step.state.delivered),
        }
    )
    return select(
        listing.generations,
        person=listing.person,
        address=step.state.mail.lower(),
        rules=rules,
        now=step.now,
    )


def _adopt(step: Holder, listing: Listing, selection: Selection) -> None:
    delivery, route, pair = step.state.delivery, route_of(step), step.state.observed
    if delivery is None or route is None or pair is None:
        return
    if step.state.identity is None:
        step.set(identity=Identity(pinned=pair, pinned_at=step.now))
        step.note("identity.pinned", route=route.name)
    step.note(
        "escrow.listed",
        generations=tuple(entry.fingerprint for entry in selection.entries),
        delivery=delivery.id,
        route=route.name,
        left_out=dict(selection.left_out),
    )
    step.set(person=listing.person, generations=listing.generations)
    _merge_requests(step, listing.open)
    current = selection.encryption[0].fingerprint
    change(
        step,
        entries=selection.entries,
        digest=selection.digest,
        current=next(g for g in listing.generations if g.fingerprint == current),
    )
    _allowed(step, route)


def _merge_requests(step: Holder, open_: tuple[OpenRequest, ...]) -> None:
    known = {request.id: request for request in step.state.requests}
    known |= {request.id: request for request in open_}
    step.set(requests=tuple(known.values()))


def _allowed(step: Holder, route: RoutePolicy) -> None:
    delivery = step.state.delivery
    if delivery is None:
        return
    first = not step.state.delivered and step.state.copy_.state is CopyState.NONE
    if route.mode is Mode.OBSERVE:
        end(step, Phase.CANCELLED, code="DLV-005", why="observed")
    elif first and route.unknown_set is UnknownSet.REFUSE and delivery.by == "connector":
        fail(step, "IDN-004", "the first upload for a user is to be asked for by a person")
    elif any(device.phase is DevicePhase.WAITING for device in delivery.devices.values()):
        proceed(step)


def missing(step: Holder) -> tuple[str, ...]:
    """The fingerprints of the set for which no usable request is known, each once."""
    delivery = step.state.delivery
    if delivery is None:
        return ()
    have = {r.fingerprint for r in step.state.requests if r.state in USABLE}
    wanted = dict.fromkeys(entry.fingerprint for entry in delivery.entries)
    return tuple(fingerprint for fingerprint in wanted if fingerprint not in have)


def proceed(step: Holder) -> None:
    """Go to where the requests stand: begin them, wait for them, or hand over."""
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
    looked = delivery.looked_up_at
    fresh = looked is not None and step.now - looked <= route.look_fresh
    move(step, Phase.HANDING_OVER, Effect.HAND_OVER if fresh else Effect.LOOK_UP)
