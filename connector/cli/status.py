"""``status``: the service at a glance, listings, and everything known of one subject."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from connector.cli import detail, listing, overview
from connector.cli.options import Call, asking
from connector.cli.questions import made
from connector.operators.verbs.status import (
    OVERVIEW,
    SUBJECT,
    SUBJECTS,
    Kind,
    ListQuery,
    SubjectQuery,
)
from connector.operators.verbs.verb import Nothing

WATCH_EVERY = 2.0


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


@asking(OVERVIEW, SUBJECTS, SUBJECT)
def status(
    call: Call,
    what: Annotated[
        Subjects | None,
        typer.Argument(help="Kind of subject to list; default: an overview of the service."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Argument(help="One subject: key, id, user name, mail or delivery id."),
    ] = None,
    phase: Annotated[str | None, typer.Option(help="Only those in this phase.")] = None,
    route: Annotated[str | None, typer.Option(help="Only those on this route.")] = None,
    code: Annotated[str | None, typer.Option(help="Only those with this error code.")] = None,
    restored: Annotated[
        bool,
        typer.Option("--restored", help="Holders to review after a backup was restored."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of rows.")] = 200,
    columns: listing.ColumnsOption = None,
    wide: listing.WideOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh every two seconds until Ctrl-C.")
    ] = False,
) -> None:
    """Show the state of the service, of one kind of subject, or of one subject."""
    chosen = listing.columns_of(columns)

    def show() -> None:
        if what is not None and key is not None:
            query = made(SubjectQuery, kind=what.kind, name=key)
            detail.show(call, call.ask(SUBJECT, query))
        elif what is None and not restored:
            overview.show(call, call.ask(OVERVIEW, Nothing()))
        else:
            kind = "holder" if what is None else what.kind
            wanted_ones = ListQuery(kind=kind, phase=phase, route=route, code=code)
            open_only = what is Subjects.DELIVERY and phase is None
            wanted = listing.unsure if restored else listing.is_open if open_only else None
            asked = listing.Asked(wanted_ones, limit, wanted)
            listing.show(call, call.talk(asked.pages), chosen, wide=wide)

    if watch:
        _watch(call, show)
    else:
        show()


def _watch(call: Call, show: Callable[[], None]) -> None:
    try:
        while True:
            call.screen.clear()
            show()
            call.world.wait(WATCH_EVERY)
    except KeyboardInterrupt:
        return
