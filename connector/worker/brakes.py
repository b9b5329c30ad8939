"""Brakes of a partition: pause, and how many keys were disclosed in the last hour."""

from collections.abc import Iterable

from connector.core.audit import AuditEntry
from connector.core.events import ClockAccepted, Event, Paused, Resumed
from connector.core.model import DAY, HOUR, Millis
from connector.core.no_later import no_later
from connector.core.states import Brakes, StandingPause

MINUTE: Millis = 60_000
STANDS_ALREADY = "ADM-005"


def apply(brakes: Brakes, event: Event, now: Millis) -> tuple[Brakes, AuditEntry]:
    """Apply an event to the partition's brakes; return them and the audit entry for it."""
    body = event.body
    if not isinstance(body, Paused | Resumed):
        ignored = AuditEntry(
            at=now, subject=event.subject, action="event.ignored", outcome="EVT-005"
        )
        return brakes, ignored
    if isinstance(body, Resumed):
        return resume(brakes, body.route, now), entry(event, body, now)
    again = brakes.has(body.route)
    changed = pause(brakes, body.route, now, by=body.by, reason=body.reason)
    return changed, entry(event, body, now, outcome=STANDS_ALREADY if again else "ok")


def entry(
    event: Event, act: Paused | Resumed | ClockAccepted, now: Millis, outcome: str = "ok"
) -> AuditEntry:
    """The audit entry for a brake or a clock that a person decided about."""
    return AuditEntry(
        at=now,
        subject=event.subject,
        action=f"person.{act.kind}",
        actor=act.by,
        reason=act.reason,
        route=None if isinstance(act, ClockAccepted) else act.route,
        outcome=outcome,
    )


def after(brakes: Brakes, events: Iterable[Event], now: Millis) -> Brakes:
    """The brakes once events are applied that are stored and not part of a round yet."""
    for event in events:
        if isinstance(event.body, Paused | Resumed):
            brakes, _ = apply(brakes, event, now)
    return brakes


def pause(
    brakes: Brakes, route: str | None, now: Millis, *, by: str = "", reason: str = ""
) -> Brakes:
    """Pause one route, or all (``route`` None). A pause that is already in force stays as it is."""
    changes: dict[str, object] = {"paused_since": brakes.paused_since or now}
    if not brakes.has(route):
        new = StandingPause(route=route, by=by, reason=reason, since=now)
        changes["pauses"] = (*brakes.pauses, new)
    if route is None:
        changes["all_paused"] = True
    else:
        changes["routes_paused"] = brakes.routes_paused | {route}
    return brakes.model_copy(update=changes)


def resume(brakes: Brakes, route: str | None, now: Millis) -> Brakes:
    """End the pause of one route, or the one of all (``route`` None); every other one stays.

    Another person may have applied that one, for a reason that is not over.
    """
    changes: dict[str, object] = {
        "pauses": tuple(one for one in brakes.pauses if one.route != route)
    }
    if route is None:
        changes["all_paused"] = False
    else:
        changes["routes_paused"] = brakes.routes_paused - {route}
    released = brakes.model_copy(update=changes)
    if released.all_paused or released.routes_paused or brakes.paused_since is None:
        return released
    return released.model_copy(update={"paused_since": None, "released_at": now})


def tightened(before: Brakes, after: Brakes) -> bool:
    """Whether a route is paused now that was not before."""
    more = after.routes_paused - before.routes_paused
    return bool(more) or (after.all_paused and not before.all_paused)


def hold_deadlines(brakes: Brakes, now: Millis) -> bool:
    """Whether deadlines are suspended: during a pause and for 24 hours after it (promise 10)."""
    if brakes.paused_since is not None:
        return True
    return brakes.released_at is not None and now < brakes.released_at + DAY


def settled_by(brakes: Brakes, now: Millis) -> Brakes:
    """Brakes after time stepped back: what was noted at a later time counts from now on."""
    minute, counted = now - now % MINUTE, dict[Millis, int]()
    for at, count in brakes.disclosed:
        counted[min(at, minute)] = counted.get(min(at, minute), 0) + count
    changes = {
        "disclosed": tuple(sorted(counted.items())),
        "pauses": tuple(no_later(one, now, "since") for one in brakes.pauses),
    }
    return no_later(brakes.model_copy(update=changes), now, "paused_since", "released_at")


def disclosed(brakes: Brakes, now: Millis) -> int:
    """Keys disclosed within the last hour, by whole minutes, so never fewer than there were."""
    return sum(count for at, count in brakes.disclosed if _counts(at, now))


def _counts(minute: Millis, now: Millis) -> bool:
    """Whether any moment of a minute lies within the last hour."""
    return minute + MINUTE > now - HOUR


def disclose(brakes: Brakes, now: Millis, count: int) -> Brakes:
    """Count keys that a hand-over is about to fetch; counts of one minute are added up."""
    minute = now - now % MINUTE
    recent = {at: number for at, number in brakes.disclosed if _counts(at, now)}
    recent[minute] = recent.get(minute, 0) + count
    return brakes.model_copy(update={"disclosed": tuple(sorted(recent.items()))})


def give_back(brakes: Brakes, at: Millis, count: int) -> Brakes:
    """Undo :func:`disclose` of that time, once it is proven that no key was fetched."""
    minute = at - at % MINUTE
    counted = {when: number for when, number in brakes.disclosed if when != minute}
    before = dict(brakes.disclosed).get(minute, 0)
    if before > count:
        counted[minute] = before - count
    return brakes.model_copy(update={"disclosed": tuple(sorted(counted.items()))})
