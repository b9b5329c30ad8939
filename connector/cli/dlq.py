"""``dlq``: what could not be read, looked at, put in again, or given up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, TypeVar

import typer

from connector.cli import letter
from connector.cli.formatting import moment, short
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.questions import made
from connector.cli.settling import WAITING, end, every
from connector.cli.waiting import Wait
from connector.core.model import millis_of
from connector.operators.client import AdminClient
from connector.operators.verbs.dead_letters import (
    AT_ONCE,
    DROP,
    LETTER,
    LETTERS,
    REPLAY,
    LetterOutcome,
    LetterQuery,
    LetterReceipt,
    LetterView,
    PlaceQuery,
    SettleLetters,
)
from connector.operators.verbs.verb import Verb

L = TypeVar("L", bound=SettleLetters)

dlq = typer.Typer(no_args_is_help=True, help="List, re-queue and drop dead letters.")

COLUMNS = ("place", "code", "came", "bytes", "sha256", "reads as", "subject")
MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
SENT_AT_ONCE = 100
"""Letters dropped with one request."""

PlaceArgument = Annotated[str, typer.Argument(help="The dead letter: PARTITION/POSITION.")]
OnePlace = Annotated[
    str | None,
    typer.Argument(
        metavar="[PLACE]", help="One dead letter (PARTITION/POSITION), or select many by options."
    ),
]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only those with this error code.")]
PartitionOption = Annotated[
    int | None, typer.Option("--partition", min=0, help="Only those of this partition.")
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        "--since", formats=MOMENTS, help="Only those received at or after this time (UTC)."
    ),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--until", formats=MOMENTS, help="Only those received before this time (UTC)."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All dead letters.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would happen to each.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Reason, for the audit log.")]


class Filter(NamedTuple):
    """The options that choose letters."""

    code: CodeOption = None
    since: SinceOption = None
    until: UntilOption = None
    partition: PartitionOption = None

    @property
    def query(self) -> LetterQuery:
        """The letters that are chosen."""
        since, until = _millis(self.since), _millis(self.until)
        return made(LetterQuery, code=self.code, partition=self.partition, since=since, until=until)


@dlq.command("list")
@asking(LETTERS)
def listing(
    call: Call,
    *,
    which: Filter,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows.")] = AT_ONCE,
) -> None:
    """List dead letters, with the event that each can now be parsed as."""
    letters = call.talk(lambda client: _some(client, which.query, limit))
    if call.screen.form is Format.JSON:
        call.screen.json({"items": letters})
        return
    whole = call.screen.form is Format.CSV
    show = call.screen.csv if whole else call.screen.table
    show(COLUMNS, [_row(one, whole=whole) for one in letters])
    if len(letters) == limit:
        call.screen.remark(f"The first {limit}; --limit shows more.")


@dlq.command("show")
@asking(LETTER)
def show(call: Call, place: PlaceArgument) -> None:
    """Show one dead letter: original bytes as text with escapes, or in hexadecimal."""
    letter.show(call.screen, call.ask(LETTER, made(PlaceQuery, place=place)))


@dlq.command("replay")
@asking(REPLAY, *WAITING)
def replay(
    call: Call,
    place: OnePlace = None,
    *,
    which: Filter,
    everything: AllOption = False,
    dry_run: DryRunOption = False,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Maximum number per second.")] = 10,
    reason: ReasonOption = "",
    wait: Wait,
) -> None:
    """Re-queue dead letters that can now be parsed.

    Exit code 7 if some still cannot be parsed (8 with --dry-run); they stay dead letters.
    """
    query = None if place else _chosen(which, everything=everything)

    async def replaying(client: AdminClient) -> tuple[LetterOutcome, ...]:
        outcomes: list[LetterOutcome] = []
        async for name in _places(client, place, query):
            if outcomes and not dry_run:
                await asyncio.sleep(1 / rate)
            outcomes += await _settle(
                call, client, REPLAY, places=[name], reason=reason, dry_run=dry_run
            )
        return tuple(outcomes)

    end(call, LetterReceipt(act="replay", dry_run=dry_run, outcomes=call.talk(replaying)), wait)


@dlq.command("drop")
@asking(DROP, *WAITING)
def drop(
    call: Call,
    place: OnePlace = None,
    *,
    which: Filter,
    everything: AllOption = False,
    dry_run: DryRunOption = False,
    reason: ReasonOption = "",
    wait: Wait,
) -> None:
    """Drop dead letters; requires a --reason."""
    query = None if place else _chosen(which, everything=everything)
    if not reason.strip() and not dry_run:
        raise typer.BadParameter("dropping dead letters needs a --reason")

    why = reason if reason.strip() else "dry run"

    async def dropping(client: AdminClient) -> tuple[LetterOutcome, ...]:
        names = [name async for name in _places(client, place, query)]
        outcomes: list[LetterOutcome] = []
        for start in range(0, len(names), SENT_AT_ONCE):
            part = names[start : start + SENT_AT_ONCE]
            outcomes += await _settle(call, client, DROP, places=part, reason=why, dry_run=dry_run)
        return tuple(outcomes)

    end(call, LetterReceipt(act="drop", dry_run=dry_run, outcomes=call.talk(dropping)), wait)


def _millis(moment: datetime | None) -> int | None:
    """A moment without a zone is meant in UTC."""
    if moment is None:
        return None
    return millis_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _chosen(which: Filter, *, everything: bool) -> LetterQuery:
    if not everything and which == Filter():
        raise typer.BadParameter(
            "name a dead letter, select by --code, --since, --until or --partition, or use --all"
        )
    return which.query


async def _some(client: AdminClient, query: LetterQuery, limit: int) -> list[LetterView]:
    found: list[LetterView] = []
    async for view in every(client, query):
        found.append(view)
        if len(found) == limit:
            break
    return found


async def _places(
    client: AdminClient, place: str | None, query: LetterQuery | None
) -> AsyncIterator[str]:
    """The named letter, or all chosen ones."""
    if place is not None:
        yield place
    elif query is not None:
        async for view in every(client, query):
            yield view.place


async def _settle(
    call: Call, client: AdminClient, verb: Verb[L, LetterReceipt], **given: object
) -> tuple[LetterOutcome, ...]:
    act = made(verb.takes, **given)
    return (await client.ask(verb, act, call.world.unique())).outcomes


def _row(view: LetterView, *, whole: bool) -> tuple[object, ...]:
    digest = view.digest if whole else short(view.digest)
    came = moment(view.at)
    return view.place, view.code, came, view.size, digest, view.reads_as, view.subject
