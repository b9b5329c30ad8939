"""From the journal's states to what people look at. Pure."""

from collections.abc import Iterable

from connector.admin.records import GenerationRow, SubjectSummary
from connector.core.model import Generation, SetEntry, Sha256Hex, SubjectKey
from connector.core.states import (
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    DeviceState,
    HolderState,
    PersonState,
    Want,
)

State = HolderState | DeviceState | PersonState


def summary(state: State) -> SubjectSummary:
    """One line about a subject."""
    match state:
        case HolderState():
            return _holder(state)
        case DeviceState():
            return _device(state)
        case PersonState():
            return SubjectSummary(
                kind="person", key=state.key, since=state.changed_at, devices=len(state.holders)
            )


def _holder(state: HolderState) -> SubjectSummary:
    delivery = state.delivery
    line = SubjectSummary(
        kind="holder",
        key=state.key,
        name=state.name,
        mail=state.mail,
        route=state.route,
        devices=len(state.devices),
        copy_state=_copy(state),
        next_step=_step(state.wants),
        next_due=_due(state.wants),
    )
    if delivery is None:
        return line
    trouble = delivery.trouble
    phases = [device.phase for device in delivery.devices.values()]
    return line.model_copy(
        update={
            "phase": delivery.phase.value,
            "since": delivery.phase_since,
            "delivery": delivery.id,
            "installed": phases.count(DevicePhase.INSTALLED),
            "devices": len(phases) - phases.count(DevicePhase.LEFT),
            "code": trouble.code if trouble else None,
            "detail": trouble.detail if trouble else delivery.why or "",
        }
    )


def _copy(state: HolderState) -> str:
    copy = state.copy_
    return f"{copy.state.value} (overdue)" if copy.overdue else copy.state.value


def _device(state: DeviceState) -> SubjectSummary:
    trouble = state.trouble
    return SubjectSummary(
        kind="device",
        key=state.key,
        name=state.friendly_name or state.serial,
        phase=state.status.value,
        since=state.enrolled_at,
        next_step=_step(state.wants),
        next_due=_due(state.wants),
        code=trouble.code if trouble else None,
        detail=trouble.detail if trouble else state.holder or "",
    )


def _first(wants: Iterable[Want]) -> Want | None:
    return min(wants, key=lambda want: want.due, default=None)


def _step(wants: Iterable[Want]) -> str | None:
    first = _first(wants)
    return first.effect.value if first else None


def _due(wants: Iterable[Want]) -> int | None:
    first = _first(wants)
    return first.due if first else None


def matrix(state: HolderState) -> tuple[GenerationRow, ...]:
    """The holder's generations, newest first, each with how it stands on each device."""
    listed = {generation.fingerprint: generation for generation in state.generations}
    known = dict.fromkeys([*listed, *(sent.fingerprint for sent in state.delivered)])
    rows = [_row(state, fingerprint, listed.get(fingerprint)) for fingerprint in known]
    return tuple(sorted(rows, key=lambda row: -(row.not_before or 0)))


def _row(
    state: HolderState, fingerprint: Sha256Hex, generation: Generation | None
) -> GenerationRow:
    slots = {entry.fingerprint: entry.slot for entry in _entries(state.delivery)}
    delivered = {sent.fingerprint: sent.at for sent in state.delivered}
    return GenerationRow(
        fingerprint=fingerprint,
        slot=slots.get(fingerprint),
        usage=generation.usage if generation else None,
        not_before=generation.not_before if generation else None,
        not_after=generation.not_after if generation else None,
        revoked_at=generation.revoked_at if generation else None,
        delivered_at=delivered.get(fingerprint),
        dropped=fingerprint in {drop.fingerprint for drop in state.dropped},
        devices={key: _on_device(state, fingerprint, key) for key in state.devices},
    )


def _entries(delivery: Delivery | None) -> tuple[SetEntry, ...]:
    return delivery.entries if delivery else ()


def _on_device(state: HolderState, fingerprint: Sha256Hex, key: SubjectKey) -> str:
    delivery = state.delivery
    device = delivery.devices.get(key) if delivery else None
    if delivery is None or device is None:
        return "unknown"
    if all(entry.fingerprint != fingerprint for entry in delivery.entries):
        return "missing"
    return _standing(delivery, device)


def _standing(delivery: Delivery, device: DeviceInDelivery) -> str:
    match device.phase:
        case DevicePhase.INSTALLED:
            return "present"
        case DevicePhase.WAITING:
            return "scheduled" if delivery.uploaded_at is None else "sent"
        case DevicePhase.NOT_INSTALLED:
            return "missing"
        case DevicePhase.LEFT:
            return "unknown"
