"""``config diff``: what another settings file would change, before it is mounted."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from connector.cli import pauses
from connector.cli.listing import PAGE, is_open
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.serve import settings_of
from connector.core.model import Record, SubjectKey, parse_subject
from connector.core.policy import RoutePolicy
from connector.core.route_moves import known_group, possible_routes
from connector.operators.client import AdminClient
from connector.operators.verbs.status import SUBJECTS, ListQuery, SubjectSummary
from connector.settings.changes import Change, changes

Routes = Mapping[str, RoutePolicy]


class Move(Record):
    """A holder whom another route may serve, with the phase of an open delivery.

    ``routes``: those that may, None among them for no route at all. ``code``: ``USR-003`` when
    there is certainly none, ``USR-007`` when the route of an open delivery is gone.
    """

    holder: SubjectKey
    route: str
    routes: tuple[str | None, ...]
    phase: str = ""
    code: str | None = None


class Holders(Record):
    """How many holders each changed route serves, and those who may get another one.

    ``moves`` are at most as many as were asked for, ``moving`` counts them all.
    """

    served: dict[str, int]
    moving: int
    moves: tuple[Move, ...]


@asking(SUBJECTS)
def diff(
    call: Call,
    new: Annotated[
        Path, typer.Argument(metavar="NEW", readable=False, help="The other settings file (YAML).")
    ],
    holders: Annotated[
        bool,
        typer.Option("--holders", help="Also ask the running service which holders it concerns."),
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Maximum number of holders, with --holders.")
    ] = 200,
) -> None:
    """Compare the settings file of --config with another one; both are checked first."""
    before, after = settings_of(call), settings_of(call, new)
    found = changes(before, after).all
    routes = before.policies(), after.policies()
    concerned = None
    if holders:
        concerned = call.talk(lambda asked: _concerned(call, asked, *routes, limit))
    if call.screen.form is Format.JSON:
        told = {"changes": found}
        call.screen.json(told | ({} if concerned is None else {"holders": concerned}))
        return
    if concerned is None or call.screen.form is Format.TABLE:
        _show_changes(call, found)
    if concerned is not None:
        _show_holders(call, concerned)


async def _concerned(
    call: Call, client: AdminClient, before: Routes, after: Routes, limit: int
) -> Holders:
    served: Counter[str] = Counter()
    moves, moving = [], 0
    async for item in _all_holders(call, client):
        route = item.route or ""
        if before.get(route) != after.get(route):
            served[route] += 1
        if move := _move(item, before, after):
            moving += 1
            moves += [move] if moving <= limit else []
    return Holders(served=dict(sorted(served.items())), moving=moving, moves=tuple(moves))


async def _all_holders(call: Call, client: AdminClient) -> AsyncIterator[SubjectSummary]:
    """Those with a route; without one, no delivery was ever planned."""
    query = ListQuery(kind="holder", limit=PAGE)
    page = await client.ask(SUBJECTS, query)
    pauses.show(call, page.pauses)
    while True:
        for item in page.items:
            if item.route is not None:
                yield item
        if page.after is None:
            return
        page = await client.ask(SUBJECTS, query.model_copy(update={"after": page.after}))


def _move(item: SubjectSummary, before: Routes, after: Routes) -> Move | None:
    route = item.route or ""
    uem = parse_subject(item.key).tenant
    found = possible_routes(after, uem, item.mail, known_group(before, route, item.mail))
    if found == (route,):
        return None
    phase = item.phase if is_open(item) else ""
    code = "USR-003" if found == (None,) else None
    if phase and route not in after:
        code = "USR-007"
    return Move(holder=item.key, route=route, routes=found, phase=phase, code=code)


def _show_changes(call: Call, found: tuple[Change, ...]) -> None:
    columns = ("setting", "now", "new", "brake", "taken up")
    rows = [
        (one.setting, one.old, one.new, one.brake, "at a restart" if one.restart else "at once")
        for one in found
    ]
    if call.screen.form is Format.CSV:
        call.screen.csv(columns, rows)
        return
    call.screen.table(columns, rows)
    restart = sum(one.restart for one in found)
    call.screen.remark(f"{len(found)} setting(s) differ; {restart} of them need a restart.")


def _show_holders(call: Call, found: Holders) -> None:
    for route, count in found.served.items():
        call.screen.remark(f"Route {route} changes; it serves {count} holder(s).")
    columns = ("holder", "route", "may become", "delivery", "code")
    rows = [
        (one.holder, one.route, _or(one.routes), one.phase, one.code or "") for one in found.moves
    ]
    if call.screen.form is Format.CSV:
        call.screen.csv(columns, rows)
        return
    call.screen.table(columns, rows, "Holders with another route")
    if found.moving > len(found.moves):
        call.screen.remark(f"{found.moving} in all (--limit).")


def _or(routes: tuple[str | None, ...]) -> str:
    return " or ".join(name or "none" for name in routes)
