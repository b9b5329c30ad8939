"""Planning: which generations make up the set, and whether it may be delivered."""

from pydantic import JsonValue

from connector.core.errors import ConnectorError, Fault, Permanent
from connector.core.facts import Listing
from connector.core.holder.lifecycle import Holder, change, end, fail, route_of
from connector.core.holder.onward import proceed
from connector.core.holder.possession import set_on
from connector.core.holder.progress import end_without_profile
from connector.core.holder.retrying import refuse
from connector.core.identity import agrees
from connector.core.model import OpenRequest, Sha256Hex, SubjectKey
from connector.core.policy import Mode, RoutePolicy, UnknownSet
from connector.core.selection import Selection, SelectionRules, select
from connector.core.states import (
    CopyState,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    HolderState,
    Identity,
    Phase,
)

LARGEST_LISTING = 1024 * 1024
"""Bytes of what a CA lists of one person; 500 certificates of usual names are a third of it."""


def listed(step: Holder, listing: Listing | Fault) -> None:
    """The outcome of listing the person's generations at the CA."""
    if isinstance(listing, Fault):
        step.note("escrow.listed", outcome=listing.code, route=step.state.route)
        refuse(step, listing)
        return
    try:
        selection = choose(step, listing)
    except ConnectorError as error:
        shown = tuple(generation.fingerprint for generation in listing.generations)
        step.note("escrow.listed", outcome=error.code, route=step.state.route, generations=shown)
        refuse(step, error.fault())
        return
    _adopt(step, listing, selection)


def choose(step: Holder, listing: Listing) -> Selection:
    """Choose the set from a listing, by the holder's route.

    Raises:
        Permanent: ``CA-009`` when it is too large to be kept. ``IDN-…`` or ``KEY-…``: the person's
            generations are still stored, so that one that prevents the delivery can be dropped
            by name.
    """
    route = route_of(step)
    pair = step.state.observed
    if route is None or pair is None:
        raise Permanent("USR-007", "the route of this holder is not configured any more")
    agrees(pair, listing.person, route)
    _require_keepable(listing)
    step.set(person=listing.person, generations=listing.generations)
    return select(
        listing.generations,
        person=listing.person,
        address=step.state.mail.lower(),
        rules=rules_of(step.state, route),
        now=step.now,
    )


def _require_keepable(listing: Listing) -> None:
    """The listing is part of the holder's state, which has a largest size."""
    parts = (listing.person, *listing.generations, *listing.open)
    size = sum(len(part.model_dump_json().encode()) for part in parts)
    if size > LARGEST_LISTING:
        number = len(listing.generations)
        raise Permanent("CA-009", f"listing: {number} certificates make {size} bytes")


def rules_of(state: HolderState, route: RoutePolicy) -> SelectionRules:
    """The rules for a holder's set: the route, dropped and delivered generations."""
    return route.selection().model_copy(
        update={
            "dropped": frozenset(drop.fingerprint for drop in state.dropped),
            "delivered": {sent.public_key: sent.fingerprint for sent in state.delivered},
        }
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
        chain_unchecked=_unchecked(listing, selection),
    )
    current = selection.encryption[0].fingerprint
    change(
        step,
        devices=_asked_again(step, delivery, selection),
        entries=selection.entries,
        digest=selection.digest,
        current=next(g for g in listing.generations if g.fingerprint == current),
    )
    end_without_profile(step)
    _merge_requests(step, listing.open)
    _allowed(step, route)


def _unchecked(listing: Listing, selection: Selection) -> dict[str, JsonValue]:
    """Why the chains of certificates in the set were not checked, by fingerprint."""
    sent = {entry.fingerprint for entry in selection.entries}
    return {
        one.fingerprint: one.chain_unchecked
        for one in listing.generations
        if one.chain_unchecked and one.fingerprint in sent
    }


def _asked_again(
    step: Holder, delivery: Delivery, selection: Selection
) -> dict[SubjectKey, DeviceInDelivery]:
    """The devices of a delivery that is planned again: an earlier set on them proves nothing.

    It is planned again for a device that joined late, or was offline while the copy expired. What
    counts is the set that each device has: the record of the delivery's own set may be gone.
    """
    return {
        key: DeviceInDelivery(since=step.now, joined_at=device.joined_at)
        if _needs(step.state, key, device, delivery, selection.digest)
        else device
        for key, device in delivery.devices.items()
    }


def _needs(
    state: HolderState,
    key: SubjectKey,
    device: DeviceInDelivery,
    delivery: Delivery,
    digest: Sha256Hex,
) -> bool:
    """Whether a device that has ended in its delivery must be checked for this set."""
    match device.phase:
        case DevicePhase.INSTALLED:
            has = set_on(state, key)
            return has is None or has.digest != digest
        case DevicePhase.NOT_INSTALLED:
            return delivery.uploaded_at is not None and delivery.digest != digest
        case _:
            return False


def _merge_requests(step: Holder, open_: tuple[OpenRequest, ...]) -> None:
    """Update the state of our requests; use another's request only if it saves one of our own.

    Others at the CA may work for the same person: what is not ours is never cleaned up for nothing.
    """
    said = {request.id: request for request in open_}
    ours = tuple(said.get(request.id, request) for request in step.state.requests)
    have = {request.fingerprint for request in ours}
    delivery = step.state.delivery
    wanted = {entry.fingerprint for entry in delivery.entries} if delivery else set()
    adopted = {r.fingerprint: r for r in open_ if r.fingerprint in wanted - have}
    step.set(requests=(*ours, *adopted.values()))


def _allowed(step: Holder, route: RoutePolicy) -> None:
    delivery = step.state.delivery
    if delivery is None:
        return
    first = not step.state.delivered and step.state.copy_.state is CopyState.NONE
    if route.mode is Mode.OBSERVE:
        end(step, Phase.CANCELLED, code="DLV-005", why="observed")
    elif first and route.unknown_set is UnknownSet.REFUSE and delivery.by == "connector":
        fail(step, "IDN-004", "the first delivery to a user must be requested by an operator")
    elif any(device.phase is DevicePhase.WAITING for device in delivery.devices.values()):
        proceed(step)
