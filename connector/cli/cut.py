"""``audit cut``: give up the beginning of the trail, once it lies elsewhere."""

import asyncio
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.cli.questions import made
from connector.cli.trail import records
from connector.cli.waiting import NOT_YET, Wait, still_waiting
from connector.core.audit import AuditRecord
from connector.core.errors import Rejected
from connector.operators.client import AdminClient
from connector.operators.verbs.audit import AUDIT, CUT, CUT_AT_ONCE, AuditQuery, ChainEnd, CutTrail
from connector.operators.verbs.status import OVERVIEW
from connector.operators.verbs.verb import Nothing


@asking(AUDIT, CUT, OVERVIEW)
def cut(
    call: Call,
    file: Annotated[
        Path, typer.Option("--file", exists=True, help="The exported copy (JSON); keep this file.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Reason, for the audit log.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only compare, and show what would be removed.")
    ] = False,
    *,
    wait: Wait,
) -> None:
    """Remove the exported head of the audit log from the journal.

    Every record of the copy is compared with the journal's, and the whole trail is checked;
    if anything differs, nothing is removed. The journal keeps the head that the rest is chained to.
    """
    if not reason.strip() and not dry_run:
        raise typer.BadParameter("cutting the audit trail needs a --reason")
    ends = asyncio.run(_compared(call, file))
    if dry_run or not ends:
        _show(call, ends)
        call.screen.remark("No record was removed.")
        return
    parts = [ends[at : at + CUT_AT_ONCE] for at in range(0, len(ends), CUT_AT_ONCE)]
    acts = [made(CutTrail, ends=part, reason=reason) for part in parts]
    key = call.world.unique()

    async def cutting(client: AdminClient) -> None:
        for act in acts:
            await client.ask(CUT, act, key)

    call.talk(cutting)
    wanted = wait.wish
    waiting = None if wanted is None else _not_cut(call, ends, wanted.timeout)
    _show(call, ends, waiting)
    if waiting:
        raise typer.Exit(Exit.NOT_YET)


def _not_cut(call: Call, ends: list[ChainEnd], timeout: float) -> tuple[int, ...]:
    """The partitions whose owner has not removed these records when the time is over."""

    async def looking(client: AdminClient) -> tuple[int, ...]:
        partitions = (await client.ask(OVERVIEW, Nothing())).partitions
        cut_at = {one.partition: one.audit_cut for one in partitions}
        return tuple(end.partition for end in ends if cut_at.get(end.partition, 0) < end.count)

    return still_waiting(call, timeout, looking)


async def _compared(call: Call, file: Path) -> list[ChainEnd]:
    """The last record of each partition in the copy, all others found equal.

    Raises:
        Rejected: ``AUD-003`` when a record differs, or one is missing in the copy.
    """
    ends: list[ChainEnd] = []
    async with call.client() as client:
        for number, copied in groupby(records([file]), lambda record: record.partition):
            if any(end.partition == number for end in ends):
                raise Rejected("AUD-003", f"partition {number} appears twice in the copy")
            ends += await _end_of(client, number, copied)
    return ends


async def _end_of(
    client: AdminClient, number: int, copied: Iterator[AuditRecord]
) -> list[ChainEnd]:
    """The end of one partition's copy; none when the journal gave all of it up before."""
    expected = next(copied, None)
    last: AuditRecord | None = None
    async for record in client.stream(AUDIT, AuditQuery(partition=number)):
        while last is None and expected is not None and expected.sequence < record.sequence:
            expected = next(copied, None)
        if expected is None:
            break
        if expected != record:
            raise Rejected("AUD-003", f"partition {number}, record {record.sequence} differs")
        last, expected = record, next(copied, None)
    if expected is not None:
        raise Rejected("AUD-003", f"partition {number} has no record {expected.sequence}")
    if last is None:
        return []
    return [ChainEnd(partition=number, count=last.sequence, head=last.mac)]


def _show(call: Call, ends: list[ChainEnd], waiting: tuple[int, ...] | None = None) -> None:
    columns: tuple[str, ...] = ("partition", "records up to", "head")
    rows: list[tuple[object, ...]] = [(end.partition, end.count, end.head) for end in ends]
    if waiting is not None:
        columns = (*columns, "cut")
        rows = [(*row, NOT_YET if row[0] in waiting else "applied") for row in rows]
    match call.screen.form:
        case Format.JSON:
            call.screen.json({"cut": ends} | ({} if waiting is None else {"waiting": waiting}))
        case Format.CSV:
            call.screen.csv(columns, rows)
        case Format.TABLE:
            call.screen.table(columns, rows)
