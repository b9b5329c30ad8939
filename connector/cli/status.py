"""``status``: the service at a glance, listings, and everything known of one subject."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from connector.admin.client import AdminClient
from connector.admin.records import (
    Kind,
    Overview,
    Stuck,
    SubjectPage,
    SubjectSummary,
    UpstreamView,
)
from connector.catalogue import catalogue
from connector.cli import conditions, detail
from connector.cli.options import Call, asking
from connector.cli.screen import Format
from connector.cli.words import age, day, due, short
from connector.core.journal import StatusFilter
from connector.core.model import DAY
from connector.core.states import ENDED, CopyState, Phase

PAGE = 1000
COLUMNS = (
    "key",
    "name",
    "mail",
    "route",
    "phase",
    "age",
    "installed",
    "devices",
    "copy",
    "next step",
    "due",
    "code",
    "detail",
)


class Subjects(StrEnum):
    """What ``status`` can list."""

    HOLDER = "holder"
    DEVICE = "device"
    DELIVERY = "delivery"
    PERSON = "person"

    @property
    def kind(self) -> Kind:
        """The kind of subject behind it: a delivery is its holder's."""
        match self:
            case Subjects.HOLDER | Subjects.DELIVERY:
                return "holder"
            case Subjects.DEVICE:
                return "device"
            case Subjects.PERSON:
                return "person"


@asking
def status(
    call: Call,
    what: Annotated[
        Subjects | None, typer.Argument(help="What to list; nothing: the service at a glance.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Argument(help="One of them: its key, id, user name, mail or delivery id."),
    ] = None,
    phase: Annotated[str | None, typer.Option(help="Only those in this phase.")] = None,
    route: Annotated[str | None, typer.Option(help="Only those on this route.")] = None,
    code: Annotated[str | None, typer.Option(help="Only those with this error code.")] = None,
    restored: Annotated[
        bool,
        typer.Option("--restored", help="After a restored backup: the holders to look at again."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Longest listing.")] = 200,
) -> None:
    """Show what is going on: all, one kind of subject, or one subject."""
    if restored:
        query = StatusFilter(kind="holder", phase=phase, route=route, code=code)
        _list(call, call.ask(lambda client: _listing(client, query, _unsure, limit)))
    elif what is None:
        _overview(call, call.ask(AdminClient.overview))
    elif key is not None:
        detail.show(call, call.ask(lambda client: client.detail(what.kind, key)))
    else:
        query = StatusFilter(kind=what.kind, phase=phase, route=route, code=code)
        open_only = what is Subjects.DELIVERY and phase is None
        wanted = _is_open if open_only else _any
        page = call.ask(lambda client: _listing(client, query, wanted, limit))
        _list(call, page)


async def _listing(
    client: AdminClient, query: StatusFilter, wanted: Callable[[SubjectSummary], bool], limit: int
) -> SubjectPage:
    """Pages until there are enough of those that are wanted."""
    page = await client.listing(query.model_copy(update={"limit": min(limit, PAGE)}))
    items = [item for item in page.items if wanted(item)]
    while page.after and len(items) < limit:
        following = query.model_copy(update={"after": page.after, "limit": PAGE})
        page = await client.listing(following)
        items += [item for item in page.items if wanted(item)]
    more = page.after if page.after or len(items) <= limit else items[limit].key
    return page.model_copy(update={"items": tuple(items[:limit]), "after": more})


def _any(_item: SubjectSummary) -> bool:
    return True


def _is_open(item: SubjectSummary) -> bool:
    """Of deliveries only the open ones are listed, unless a phase is named."""
    return bool(item.phase) and item.phase not in {Phase(ended).value for ended in ENDED}


def _unsure(item: SubjectSummary) -> bool:
    """What the journal cannot know since it was put back: what the UEM holds, and what is open."""
    return item.copy_state == CopyState.PERHAPS or _is_open(item)


def _list(call: Call, page: SubjectPage) -> None:
    rows = [
        (
            line.key,
            line.name,
            line.mail,
            line.route,
            line.phase,
            age(line.since, page.now),
            line.installed,
            line.devices,
            line.copy_state,
            line.next_step,
            due(line.next_due, page.now),
            line.code,
            line.detail,
        )
        for line in page.items
    ]
    match call.screen.form:
        case Format.JSON:
            call.screen.json(page)
        case Format.CSV:
            call.screen.csv(COLUMNS, rows)
        case Format.TABLE:
            call.screen.table(COLUMNS, rows)
    if page.after:
        call.screen.remark("There are more; narrow the listing or raise --limit.")


def _overview(call: Call, seen: Overview) -> None:
    screen = call.screen
    counts = [(row.kind, row.route, row.phase, row.count) for row in seen.counts]
    if screen.form is Format.JSON:
        screen.json(seen)
        return
    conditions.show(call, seen.conditions, seen.now)
    if screen.form is Format.CSV:
        screen.csv(("kind", "route", "phase", "count"), counts)
        return
    if seen.needs_person:
        screen.line(_needs_person(seen.needs_person), "yellow")
        for one in seen.needs_person:
            entry = catalogue().get(one.code)
            first = f", the first for {age(one.since, seen.now)}" if one.since is not None else ""
            screen.line(f"    {one.code} {entry.title if entry else ''}{first}")
    screen.table(("kind", "route", "phase", "count"), counts, f"Subjects ({seen.version})")
    screen.table(
        ("upstream", "breaker", "for", "next try", "last success", "code", "detail"),
        [
            (
                one.name,
                one.state,
                age(one.since, seen.now),
                due(one.next_try, seen.now),
                f"{age(one.last_success, seen.now)} ago" if one.last_success else "none yet",
                one.code,
                one.detail,
            )
            for one in _worst_first(seen.upstreams)
        ],
        "Upstreams",
    )
    screen.table(
        ("certificate", "ends", "days left"),
        [
            (one.name, day(one.not_after), (one.not_after - seen.now) // DAY)
            for one in seen.credentials
        ],
        "Own certificates",
    )
    screen.table(
        ("partition", "epoch", "commits", "audit records", "audit head", "paused", "since"),
        [
            (
                partition.partition,
                partition.epoch,
                partition.commits,
                partition.audit_count,
                short(partition.audit_head),
                _paused(partition.brakes.all_paused, partition.brakes.routes_paused),
                age(partition.brakes.paused_since, seen.now),
            )
            for partition in seen.partitions
        ],
        "Partitions",
    )


def _needs_person(stuck: Sequence[Stuck]) -> str:
    total = sum(one.count for one in stuck)
    return f"needs a person: {total} ({', '.join(f'{one.count} {one.code}' for one in stuck)})"


def _worst_first(upstreams: Sequence[UpstreamView]) -> list[UpstreamView]:
    order = ("open", "half_open", "closed")
    return sorted(upstreams, key=lambda one: (order.index(one.state), one.name))


def _paused(everything: bool, routes: frozenset[str]) -> str:  # noqa: FBT001 - a brake is on or off
    return "all" if everything else ", ".join(sorted(routes)) or "no"
