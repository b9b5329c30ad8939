"""A listing of subjects: pages gathered, columns chosen, narrow terminals served."""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import typer

from connector.cli import pauses
from connector.cli.formatting import age, due
from connector.cli.options import Call
from connector.cli.output import Format
from connector.core.model import Millis
from connector.core.states import ENDED, CopyState, Phase
from connector.operators.client import AdminClient
from connector.operators.verbs.status import SUBJECTS, ListQuery, SubjectPage, SubjectSummary

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
LEAST_WANTED = (
    "detail",
    "mail",
    "route",
    "due",
    "next step",
    "devices",
    "installed",
    "name",
    "age",
    "copy",
)
"""Columns that a narrow terminal does without, in this order; key, phase and code always stay."""

ColumnsOption = Annotated[
    str | None,
    typer.Option("--columns", help=f"Only these, separated by commas: {', '.join(COLUMNS)}."),
]
WideOption = Annotated[
    bool, typer.Option("--wide", "-w", help="All columns, without a limit on the width of lines.")
]


class Asked(NamedTuple):
    """Which subjects, how many at most, and which of them are wanted (None: all)."""

    query: ListQuery
    limit: int
    wanted: Callable[[SubjectSummary], bool] | None

    async def pages(self, client: AdminClient) -> SubjectPage:
        """Pages until there are enough."""
        query = self.query.model_copy(update={"limit": min(self.limit, PAGE)})
        page = await client.ask(SUBJECTS, query)
        items = self._wanted(page)
        while page.after and len(items) < self.limit:
            query = self.query.model_copy(update={"after": page.after, "limit": PAGE})
            page = await client.ask(SUBJECTS, query)
            items += self._wanted(page)
        whole = page.after or len(items) <= self.limit
        more = page.after if whole else items[self.limit].key
        return page.model_copy(update={"items": tuple(items[: self.limit]), "after": more})

    def _wanted(self, page: SubjectPage) -> list[SubjectSummary]:
        return [one for one in page.items if self.wanted is None or self.wanted(one)]


def is_open(item: SubjectSummary) -> bool:
    """Of deliveries only the open ones are listed, unless a phase is named."""
    return bool(item.phase) and item.phase not in {Phase(ended).value for ended in ENDED}


def unsure(item: SubjectSummary) -> bool:
    """What the journal cannot know since it was restored: what the UEM holds, and what is open."""
    return item.copy_state == CopyState.PERHAPS or is_open(item)


def columns_of(text: str | None) -> tuple[str, ...]:
    """The columns that ``--columns`` names; all without it.

    Raises:
        typer.BadParameter: one of them does not exist.
    """
    if text is None:
        return COLUMNS
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in COLUMNS]:
        raise typer.BadParameter(f"no column {unknown[0]!r}; there are: {', '.join(COLUMNS)}")
    return names


def show(call: Call, page: SubjectPage, columns: tuple[str, ...], *, wide: bool) -> None:
    """Show a page; a terminal too narrow for all columns gets those that matter most."""
    pauses.show(call, page.pauses)
    places = [COLUMNS.index(name) for name in columns]
    rows = [[cells[place] for place in places] for cells in _rows(page)]
    match call.screen.form:
        case Format.JSON:
            call.screen.json(page)
        case Format.CSV:
            call.screen.csv(columns, rows)
        case Format.TABLE if wide:
            call.screen.wide_table(columns, rows)
        case Format.TABLE:
            expendable = LEAST_WANTED if columns == COLUMNS else ()
            left_out = call.screen.table(columns, rows, expendable=expendable)
            if left_out:
                call.screen.remark(f"Not shown: {', '.join(left_out)} (--wide, --columns).")
    if page.after:
        call.screen.remark("There are more; use filters or raise --limit.")


def _rows(page: SubjectPage) -> list[tuple[object, ...]]:
    return [_row(line, page.now) for line in page.items]


def _row(line: SubjectSummary, now: Millis) -> tuple[object, ...]:
    return (
        line.key,
        line.name,
        line.mail,
        line.route,
        line.phase,
        age(line.since, now),
        line.installed,
        line.devices,
        line.copy_state,
        line.next_step,
        due(line.next_due, now),
        line.code,
        line.detail,
    )
