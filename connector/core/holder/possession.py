"""Which set each device was proven to have, independent of later deliveries."""

from collections.abc import Iterable

from connector.core.holder.lifecycle import Holder
from connector.core.model import Sha256Hex, SubjectKey
from connector.core.states import Delivery, DevicePhase, HolderState, InstalledSet


def took(
    step: Holder,
    device: SubjectKey,
    delivery: Delivery,
    evidence: str,
    listed: frozenset[Sha256Hex] | None,
) -> tuple[Sha256Hex, ...]:
    """Record that a device was proven to have the set of a delivery.

    Args:
        step: of the device's holder.
        device: which one.
        delivery: the delivery with the set.
        evidence: what proves it, for the current generation.
        listed: the earlier generations that the device's own list shows; None without a list.

    Returns:
        The earlier generations that the list should show and does not.
    """
    known = step.state.devices.get(device)
    if known is None or delivery.digest is None:
        return ()
    earlier = delivery.archived
    unseen = () if listed is None else tuple(one for one in earlier if one not in listed)
    has = InstalledSet(
        digest=delivery.digest,
        at=step.now,
        evidence=evidence,
        assumed=earlier if listed is None else (),
        unseen=unseen,
    )
    generations = tuple(dict.fromkeys(entry.fingerprint for entry in delivery.entries))
    step.set(
        devices={**step.state.devices, device: known.model_copy(update={"has": has})},
        sets={**step.state.sets, delivery.digest: generations},
    )
    forget_unused(step)
    return unseen


def forget_unused(step: Holder) -> None:
    """Keep the generations only of sets that a device has."""
    used = {known.has.digest for known in step.state.devices.values() if known.has is not None}
    if not used.issuperset(step.state.sets):
        kept = {digest: each for digest, each in step.state.sets.items() if digest in used}
        step.set(sets=kept)


def set_on(state: HolderState, device: SubjectKey) -> InstalledSet | None:
    """The set that a device has, as far as is proven; None when none is.

    Records of earlier versions say it only in their deliveries.
    """
    known = state.devices.get(device)
    if known is None:
        return None
    if known.has is not None:
        return None if known.has.lost_at is not None else known.has
    for delivery in _newest_first(state):
        entry = delivery.devices.get(device)
        if (
            entry is not None
            and entry.phase is DevicePhase.INSTALLED
            and entry.joined_at == known.joined_at
            and delivery.digest is not None
        ):
            return InstalledSet(
                digest=delivery.digest,
                at=entry.since,
                evidence=entry.evidence or "",
                assumed=delivery.archived,
            )
    return None


def generations_of(state: HolderState, digest: Sha256Hex) -> frozenset[Sha256Hex]:
    """The fingerprints in a set; nothing when it is not remembered any more."""
    if digest in state.sets:
        return frozenset(state.sets[digest])
    found = (delivery for delivery in _newest_first(state) if delivery.digest == digest)
    return frozenset(entry.fingerprint for one in found for entry in one.entries)


def generations_on(state: HolderState, device: SubjectKey) -> frozenset[Sha256Hex]:
    """The fingerprints that a device has, as far as is proven."""
    has = set_on(state, device)
    return frozenset() if has is None else generations_of(state, has.digest)


def _newest_first(state: HolderState) -> Iterable[Delivery]:
    last = () if state.delivery is None else (state.delivery,)
    return (*last, *reversed(state.history))
