"""One subject on the screen: delivery, copy, devices, and generations by devices."""

from collections.abc import Iterator, Sequence

from connector.catalogue import catalogue
from connector.cli import pauses
from connector.cli.formatting import age, day, due, moment, short
from connector.cli.options import Call
from connector.cli.output import Format
from connector.core.model import Millis, SubjectKey
from connector.core.states import (
    Copy,
    Delivery,
    DeviceState,
    Effect,
    HolderState,
    PersonState,
    StandingPause,
)
from connector.operators.verbs.status import DeviceRow, GenerationRow, SubjectDetail
from connector.operators.views import step

Facts = Iterator[tuple[str, object]]


def show(call: Call, seen: SubjectDetail) -> None:
    """Show a subject. As JSON it is its state (``schemas/state``), as CSV the generations."""
    pauses.show(call, seen.pauses)
    match call.screen.form:
        case Format.JSON:
            call.screen.json(seen.state)
        case Format.CSV:
            call.screen.csv(*_long(seen.generations))
        case Format.TABLE:
            _table(call, seen)


def _table(call: Call, seen: SubjectDetail) -> None:
    screen, state = call.screen, seen.state
    screen.facts(_facts(seen), state.key)
    if isinstance(state, HolderState):
        screen.table(*_devices(seen.devices, seen.now), "Devices")
        for line in _remedies(seen.devices):
            screen.line(line)
        screen.table(*_matrix(seen.generations, state), "Generations on devices")


def _facts(seen: SubjectDetail) -> Facts:
    match seen.state:
        case HolderState():
            return _holder(seen.state, seen.now, seen.pauses)
        case DeviceState():
            return _device(seen.state, seen.now)
        case PersonState():
            return _person(seen.state, seen.now)


def _holder(state: HolderState, now: Millis, held: Sequence[StandingPause]) -> Facts:
    yield "name", state.name
    yield "mail", state.mail
    yield "route", state.route
    if state.identity is not None:
        yield "person", state.identity.pinned.person
        if state.identity.conflicting is not None:
            yield "person now", f"{state.identity.conflicting.person} (to be confirmed)"
    if state.delivery is not None:
        yield from _delivery(state.delivery, now)
    yield "copy in the UEM", _copy(state.copy_, now)
    if state.running is not None:
        yield "running act", f"{state.running.effect}, {age(state.running.started_at, now)} ago"
    for want in sorted(state.wants, key=lambda want: want.due):
        if want.effect is Effect.WAIT:
            yield "latest by", due(want.due, now)
        else:
            yield "next step", f"{step(want, state.route, held)} {due(want.due, now)}"


def _delivery(delivery: Delivery, now: Millis) -> Facts:
    yield "delivery", f"{delivery.id}, opened {moment(delivery.opened_at)} by {delivery.by}"
    yield "trigger", delivery.trigger
    yield "phase", f"{delivery.phase} for {age(delivery.phase_since, now)}"
    if delivery.why:
        yield "why", delivery.why
    if delivery.open:
        yield "deadline", due(delivery.deadline, now)
    trouble = delivery.trouble
    if trouble is not None:
        yield "last error", f"{trouble.code} {trouble.detail}"
        if entry := catalogue().get(trouble.code):
            yield "action", entry.action


def _copy(copy: Copy, now: Millis) -> str:
    parts = [copy.state.value]
    if copy.since is not None and copy.gone_at is None:
        parts.append(f"since {moment(copy.since)}, next look {due(copy.due, now)}")
    if copy.gone_at is not None:
        parts.append(f"gone {age(copy.gone_at, now)} ago: {copy.evidence}")
    if copy.overdue:
        parts.append("OVERDUE")
    if copy.clocks_disagree:
        parts.append("the clocks disagree")
    return ", ".join(parts)


def _device(state: DeviceState, now: Millis) -> Facts:
    yield "status", state.status
    yield "holder", state.holder
    yield "platform", state.platform
    yield "serial", state.serial
    yield "name", state.friendly_name
    yield "enrolled", moment(state.enrolled_at)
    if state.trouble is not None:
        yield "last error", f"{state.trouble.code} {state.trouble.detail}"
    for want in state.wants:
        yield "next step", f"{want.effect} {due(want.due, now)}"


def _person(state: PersonState, now: Millis) -> Facts:
    yield "changed", f"{age(state.changed_at, now)} ago" if state.changed_at else "never"
    for holder in state.holders:
        yield "holder", holder
    for want in state.wants:
        yield "forgotten", due(want.due, now)


def _devices(
    rows: Sequence[DeviceRow], now: Millis
) -> tuple[Sequence[str], Iterator[tuple[object, ...]]]:
    columns = (
        *("device", "name", "platform", "has", "age", "evidence", "delivery"),
        *("profile", "last look", "seen", "code", "cause"),
    )
    return columns, (
        (
            row.device,
            row.name,
            row.platform,
            row.has,
            age(row.since, now),
            row.evidence,
            row.phase,
            row.profile,
            age(row.looked_at, now),
            age(row.last_seen, now),
            row.code,
            row.cause,
        )
        for row in rows
    )


def _remedies(rows: Sequence[DeviceRow]) -> list[str]:
    """What to do, once for each code."""
    actions = {row.code: row.action for row in rows if row.code and row.action}
    return [f"{code}: {action}" for code, action in sorted(actions.items())]


def _matrix(
    generations: Sequence[GenerationRow], state: HolderState
) -> tuple[Sequence[str], Iterator[tuple[object, ...]]]:
    devices: list[SubjectKey] = list(state.devices)
    columns = ("generation", "slot", "usage", "valid from", "until", "note", *devices)
    return columns, (
        (
            short(row.fingerprint),
            row.slot or "-",
            row.usage,
            day(row.not_before),
            day(row.not_after),
            _note(row),
            *(row.devices.get(device, "unknown") for device in devices),
        )
        for row in generations
    )


def _note(row: GenerationRow) -> str:
    notes = []
    if row.dropped:
        notes.append("dropped by a person")
    if row.objection:
        notes.append(f"cannot be sent, {row.objection}")
    if row.revoked_at is not None:
        notes.append(f"revoked {day(row.revoked_at)}")
    if row.delivered_at is not None:
        notes.append(f"delivered {day(row.delivered_at)}")
    return ", ".join(notes)


def _long(
    generations: Sequence[GenerationRow],
) -> tuple[Sequence[str], Iterator[tuple[object, ...]]]:
    columns = ("generation", "slot", "usage", "not_before", "not_after", "device", "standing")
    return columns, (
        (
            row.fingerprint,
            row.slot,
            row.usage,
            moment(row.not_before),
            moment(row.not_after),
            device,
            standing,
        )
        for row in generations
        for device, standing in (row.devices or {"": ""}).items()
    )
