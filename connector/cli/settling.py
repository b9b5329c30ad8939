"""What becomes of dead letters that are re-queued or dropped: shown, and perhaps waited for."""

from collections.abc import AsyncIterator, Sequence

import typer

from connector.cli.exits import Exit
from connector.cli.options import Call
from connector.cli.output import Format
from connector.cli.waiting import NOT_YET, Wait, not_applied, still_waiting
from connector.core.model import is_partition
from connector.operators.client import AdminClient
from connector.operators.verbs.acts import NOT_APPLIED
from connector.operators.verbs.dead_letters import (
    LETTERS,
    LetterOutcome,
    LetterQuery,
    LetterReceipt,
    LetterView,
    PlaceName,
)

OUTCOMES = ("place", "result", "code", "reads as", "subject")
WAITING = (LETTERS, NOT_APPLIED)
"""What a command asks that waits until letters are settled."""


async def every(client: AdminClient, query: LetterQuery) -> AsyncIterator[LetterView]:
    """All letters that a query chooses, page by page."""
    while True:
        page = await client.ask(LETTERS, query)
        for view in page.items:
            yield view
        if page.after is None:
            return
        query = query.model_copy(update={"after": page.after})


class Settled(LetterReceipt):
    """A receipt, and the letters that have not been settled yet."""

    waiting: tuple[PlaceName, ...] = ()


def end(call: Call, receipt: LetterReceipt, wait: Wait) -> None:
    """Perhaps wait, show what became of the letters, and say so by the exit code."""
    if wait.wish is not None and not receipt.dry_run:
        waiting = _unsettled(call, receipt.outcomes, wait.timeout)
        receipt = Settled.model_validate(receipt.model_dump() | {"waiting": waiting})
    waiting = receipt.waiting if isinstance(receipt, Settled) else ()
    rows = [_outcome(one, waits=one.place in waiting) for one in receipt.outcomes]
    match call.screen.form:
        case Format.JSON:
            call.screen.json(receipt)
        case Format.CSV:
            call.screen.csv(OUTCOMES, rows)
        case Format.TABLE:
            call.screen.table(OUTCOMES, rows)
    if receipt.dry_run:
        call.screen.remark("Dry run: nothing was changed.")
    code = _exit(receipt, waits=bool(waiting))
    if code is not Exit.OK:
        raise typer.Exit(code)


def _exit(receipt: LetterReceipt, *, waits: bool) -> Exit:
    results = {outcome.result for outcome in receipt.outcomes}
    if "missing" in results:
        return Exit.NOT_FOUND if len(receipt.outcomes) == 1 else Exit.PARTLY
    if "dead" in results:
        return Exit.PROBLEMS if receipt.dry_run else Exit.PARTLY
    return Exit.NOT_YET if waits else Exit.OK


def _unsettled(
    call: Call, outcomes: Sequence[LetterOutcome], timeout: float
) -> tuple[PlaceName, ...]:
    """The letters whose owner has not removed them, or whose event has not been applied."""
    done = [one for one in outcomes if one.result in {"replayed", "dropped"}]
    events = {
        one.subject: one.event
        for one in done
        if one.event and one.subject is not None and not is_partition(one.subject)
    }

    async def looking(client: AdminClient) -> tuple[PlaceName, ...]:
        there = {view.place async for view in every(client, LetterQuery())}
        unread = await not_applied(client, events)
        return tuple(one.place for one in done if one.place in there or one.subject in unread)

    return still_waiting(call, timeout, looking)


def _outcome(outcome: LetterOutcome, *, waits: bool) -> tuple[object, ...]:
    result = f"{outcome.result} (known before)" if outcome.known else outcome.result
    if waits:
        result = f"{result} ({NOT_YET})"
    return outcome.place, result, outcome.code, outcome.reads_as, outcome.subject
