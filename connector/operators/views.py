"""Views of the journal's states for operators. Pure."""

from collections.abc import Iterable

from connector.catalogue import catalogue
from connector.core.holder.possession import generations_of, generations_on, set_on
from connector.core.model import Generation, Sha256Hex, SubjectKey
from connector.core.rows import UnreadableState
from connector.core.states import (
    ACTS,
    CopyState,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    DeviceState,
    DeviceStatus,
    HolderState,
    KnownDevice,
    PersonState,
    StandingPause,
    Want,
)
from connector.operators.verbs.status import DeviceRow, GenerationRow, Possession, SubjectSummary

State = HolderState | DeviceState | PersonState


WAITS_FOR_RESUME = "waits for resume"


def summary(state: State | UnreadableState, pauses: Iterable[StandingPause] = ()) -> SubjectSummary:
    """One line about a subject; ``pauses`` are those in force."""
    match state:
        case HolderState():
            return _holder(state, pauses)
        case DeviceState():
            return _device(state)
        case PersonState():
            return SubjectSummary(
                kind="person", key=state.key, since=state.changed_at, devices=len(state.holders)
            )
        case UnreadableState():
            return SubjectSummary(
                kind=state.kind,
                key=state.key,
                route=state.route or None,
                phase=state.phase,
                code="EVT-005",
                detail="its state was written by another version and cannot be read",
            )


def step(want: Want, route: str | None, pauses: Iterable[StandingPause]) -> str:
    """What comes next for a subject: an effect, or the end of a pause."""
    held = want.effect in ACTS and any(pause.holds(route) for pause in pauses)
    return WAITS_FOR_RESUME if held else want.effect.value


def _holder(state: HolderState, pauses: Iterable[StandingPause]) -> SubjectSummary:
    delivery = state.delivery
    line = SubjectSummary(
        kind="holder",
        key=state.key,
        name=state.name,
        mail=state.mail,
        route=state.route,
        installed=sum(_is_up_to_date(state, device) for device in state.devices),
        devices=len(state.devices),
        copy_state=_copy(state),
        next_step=_step(state.wants, state.route, pauses),
        next_due=_due(state.wants),
    )
    code = state.cause
    line = line.model_copy(update={"code": code, "detail": _title(code)})
    if delivery is None:
        return line
    trouble = delivery.trouble
    detail = trouble.detail if trouble and trouble.code == code else _title(code) or delivery.why
    return line.model_copy(
        update={
            "phase": delivery.phase.value,
            "since": delivery.phase_since,
            "delivery": delivery.id,
            "detail": detail or "",
        }
    )


def _title(code: str | None) -> str:
    """What a code means, in a few words."""
    entry = catalogue().get(code or "")
    return "" if entry is None else entry.title


def devices(state: HolderState) -> tuple[DeviceRow, ...]:
    """The holder's devices: what each has, and why it does not have the newest set."""
    return tuple(_device_row(state, key, known) for key, known in state.devices.items())


def _device_row(state: HolderState, key: SubjectKey, known: KnownDevice) -> DeviceRow:
    has = set_on(state, key)
    row = DeviceRow(
        device=key,
        name=known.friendly_name or known.serial,
        platform=known.platform,
        has="nothing" if has is None else _which(state, key),
        since=has.at if has else None,
        evidence=has.evidence if has else "",
        profile=known.profile,
    )
    entry = state.delivery.devices.get(key) if state.delivery else None
    if entry is None:
        return row
    known_code = catalogue().get(entry.code or "")
    return row.model_copy(
        update={
            "phase": entry.phase.value,
            "profile": known.profile if entry.looked_at is None else entry.profile,
            "looked_at": entry.looked_at,
            "last_seen": entry.last_seen,
            "code": entry.code,
            "code_since": entry.code_since,
            "cause": known_code.title if known_code else entry.why or "",
            "action": known_code.action if known_code else "",
        }
    )


def _which(state: HolderState, key: SubjectKey) -> Possession:
    return "newest set" if _is_up_to_date(state, key) else "earlier set"


def _is_up_to_date(state: HolderState, device: SubjectKey) -> bool:
    """Whether a device has the newest set: of the delivery, or the last one the UEM took."""
    has = set_on(state, device)
    delivery = state.delivery
    newest = (delivery.digest if delivery else None) or state.last_digest
    return has is not None and newest in {None, has.digest}


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
        since=state.ended_at if state.status is DeviceStatus.LOST else state.enrolled_at,
        next_step=_step(state.wants),
        next_due=_due(state.wants),
        code=trouble.code if trouble else None,
        detail=trouble.detail if trouble else state.holder or "",
    )


def _first(wants: Iterable[Want]) -> Want | None:
    return min(wants, key=lambda want: want.due, default=None)


def _step(
    wants: Iterable[Want], route: str | None = None, pauses: Iterable[StandingPause] = ()
) -> str | None:
    first = _first(wants)
    return step(first, route, pauses) if first else None


def _due(wants: Iterable[Want]) -> int | None:
    first = _first(wants)
    return first.due if first else None


def matrix(state: HolderState) -> tuple[GenerationRow, ...]:
    """The holder's generations, newest first, each with its status on each device."""
    listed = {generation.fingerprint: generation for generation in state.generations}
    delivered = (sent.fingerprint for sent in state.delivered)
    on_devices = (fingerprint for entries in state.sets.values() for fingerprint in entries)
    known = dict.fromkeys([*listed, *delivered, *on_devices])
    rows = [_row(state, fingerprint, listed.get(fingerprint)) for fingerprint in known]
    return tuple(sorted(rows, key=lambda row: -(row.not_before or 0)))


def _row(
    state: HolderState, fingerprint: Sha256Hex, generation: Generation | None
) -> GenerationRow:
    entries = state.delivery.entries if state.delivery else ()
    slots = {entry.fingerprint: entry.slot for entry in entries}
    delivered = {sent.fingerprint: sent.at for sent in state.delivered if not sent.perhaps}
    return GenerationRow(
        fingerprint=fingerprint,
        slot=slots.get(fingerprint),
        usage=generation.usage if generation else None,
        not_before=(generation.not_before or None) if generation else None,
        not_after=(generation.not_after or None) if generation else None,
        revoked_at=generation.revoked_at if generation else None,
        delivered_at=delivered.get(fingerprint),
        dropped=fingerprint in {drop.fingerprint for drop in state.dropped},
        objection=_objection(generation),
        devices={key: _on_device(state, fingerprint, key) for key in state.devices},
    )


def _objection(generation: Generation | None) -> str:
    objection = generation.objection if generation else None
    return f"{objection.code}: {objection.why}" if objection else ""


def _on_device(state: HolderState, fingerprint: Sha256Hex, key: SubjectKey) -> str:
    """The status on a device: what is proven, else what may have arrived or is under way."""
    entry = state.delivery.devices.get(key) if state.delivery else None
    proven = fingerprint in generations_on(state, key)
    sets = [generations_of(state, digest) for digest in state.copy_.digests]
    if _may_have_arrived_unseen(state, entry):
        sure = proven and all(fingerprint in one for one in sets)
        possible = proven or any(fingerprint in one for one in sets)
        return _proven(state, fingerprint, key) if sure else "unknown" if possible else "missing"
    if proven:
        return _proven(state, fingerprint, key)
    there = state.copy_.state in {CopyState.PERHAPS, CopyState.PRESENT}
    if there and any(fingerprint in one for one in sets):
        return "sent"
    return _standing(state.delivery, entry, fingerprint)


def _proven(state: HolderState, fingerprint: Sha256Hex, key: SubjectKey) -> str:
    """The device has the set; what is known of an earlier generation in it may be less."""
    has = set_on(state, key)
    if has is not None and fingerprint in has.unseen:
        return "sent"
    return "assumed" if has is not None and fingerprint in has.assumed else "present"


def _may_have_arrived_unseen(state: HolderState, entry: DeviceInDelivery | None) -> bool:
    """Whether a copy existed without a look at the device: an upload with unknown outcome."""
    return state.copy_.state is CopyState.GONE and entry is not None and entry.looked_at is None


def _standing(
    delivery: Delivery | None, entry: DeviceInDelivery | None, fingerprint: Sha256Hex
) -> str:
    """The status by the delivery alone, if nothing is proven of the device."""
    if delivery is None or entry is None or entry.phase is DevicePhase.LEFT:
        return "unknown"
    planned = any(one.fingerprint == fingerprint for one in delivery.entries)
    if not planned or entry.phase is not DevicePhase.WAITING:
        return "missing"
    return "scheduled" if delivery.uploaded_at is None else "sent"
