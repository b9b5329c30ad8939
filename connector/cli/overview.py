"""The service at a glance: what is wrong and waits for a person first, then its parts."""

from collections.abc import Sequence

from connector.catalogue import catalogue
from connector.cli import pauses
from connector.cli.formatting import age, day, due, short
from connector.cli.options import Call
from connector.cli.output import Format
from connector.core.conditions import Condition, Severity
from connector.core.model import DAY, Millis
from connector.operators.verbs.status import Overview, Stuck, UpstreamView

SUBJECTS = ("kind", "route", "phase", "count")
UPSTREAMS = ("upstream", "breaker", "for", "next try", "last success", "code", "detail")
FEEDS = ("feed", "last pull", "position for", "code", "detail")
CERTIFICATES = ("certificate", "ends", "days left")
PARTITIONS = ("partition", "epoch", "commits", "audit records", "audit head", "paused", "since")
STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.NOTICE: ""}


def show(call: Call, seen: Overview) -> None:
    """As CSV only the counts, with the conditions beside them as remarks.

    The worst comes first: what is critical, the pauses, and then everything else.
    """
    screen = call.screen
    counts = [(row.kind, row.route, row.phase, row.count) for row in seen.counts]
    if screen.form is Format.JSON:
        pauses.show(call, seen.pauses)
        screen.json(seen)
        return
    critical = [one for one in seen.conditions if one.severity is Severity.CRITICAL]
    _conditions(call, critical, seen.now)
    pauses.show(call, seen.pauses)
    _conditions(call, seen.conditions[len(critical) :], seen.now)
    if screen.form is Format.CSV:
        screen.csv(SUBJECTS, counts)
        return
    _needs_person(call, seen.needs_person, seen.now)
    screen.table(SUBJECTS, counts, f"Subjects ({seen.version})")
    screen.table(UPSTREAMS, _upstreams(seen), "Upstreams")
    if seen.feeds:
        screen.table(FEEDS, _feeds(seen), "Feeds")
    screen.table(CERTIFICATES, _certificates(seen), "Own certificates")
    screen.table(PARTITIONS, _partitions(seen), "Partitions")


def _needs_person(call: Call, stuck: Sequence[Stuck], now: Millis) -> None:
    if not stuck:
        return
    total = sum(one.count for one in stuck)
    codes = ", ".join(f"{one.count} {one.code}" for one in stuck)
    call.screen.line(f"needs an operator: {total} ({codes})", "yellow")
    for one in stuck:
        where = f"; status {one.kind} --code {one.code}"
        entry = catalogue().get(one.code)
        first = f", the first for {age(one.since, now)}" if one.since is not None else ""
        call.screen.line(f"    {one.code} {entry.title if entry else ''}{first}{where}")


def _upstreams(seen: Overview) -> list[tuple[object, ...]]:
    """The worst first."""
    order = ("open", "half_open", "closed")
    worst_first = sorted(seen.upstreams, key=lambda one: (order.index(one.state), one.name))
    return [_upstream(one, seen.now) for one in worst_first]


def _upstream(one: UpstreamView, now: Millis) -> tuple[object, ...]:
    return (
        one.name,
        one.state,
        age(one.since, now),
        due(one.next_try, now),
        f"{age(one.last_success, now)} ago" if one.last_success else "none yet",
        one.code,
        one.detail,
    )


def _feeds(seen: Overview) -> list[tuple[object, ...]]:
    return [
        (
            one.name,
            f"{age(one.last_pull, seen.now)} ago" if one.last_pull else "not by this process",
            age(one.position_since, seen.now),
            one.code,
            one.detail,
        )
        for one in seen.feeds
    ]


def _certificates(seen: Overview) -> list[tuple[object, ...]]:
    return [
        (one.name, day(one.not_after), (one.not_after - seen.now) // DAY)
        for one in seen.credentials
    ]


def _partitions(seen: Overview) -> list[tuple[object, ...]]:
    return [
        (
            one.partition,
            one.epoch,
            one.commits,
            one.audit_count,
            short(one.audit_head),
            _paused(one.brakes.all_paused, one.brakes.routes_paused),
            age(one.brakes.paused_since, seen.now),
        )
        for one in seen.partitions
    ]


def _paused(everything: bool, routes: frozenset[str]) -> str:  # noqa: FBT001 - a brake is on or off
    return "all" if everything else ", ".join(sorted(routes)) or "no"


def _conditions(call: Call, conditions: Sequence[Condition], now: Millis) -> None:
    """One line for each, with what to do below it; beside CSV as remarks."""
    for one in conditions:
        since = f" (for {age(one.since, now)})" if one.since is not None else ""
        lines = f"{one.severity.upper()} {one.code} {one.text}{since}", f"    {one.action}"
        if call.screen.form is Format.CSV:
            for line in lines:
                call.screen.fault(line)
        else:
            call.screen.line(lines[0], STYLES[one.severity])
            call.screen.line(lines[1])
