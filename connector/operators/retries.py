"""A retry of many holders at once."""

from collections.abc import Collection

from connector.core.errors import Rejected, Transient
from connector.core.events import Event
from connector.core.holder.operator_commands import can_retry, discloses
from connector.core.journal import Journal, StatusFilter
from connector.core.model import SubjectKey
from connector.core.states import HolderState
from connector.operators.acts import Stamp, last_events, retry_events
from connector.operators.known import check_names
from connector.operators.search import every
from connector.operators.verbs.acts import Receipt, RetryMany

BATCH = 200


async def retry_many(
    journal: Journal, act: RetryMany, stamp: Stamp, routes: Collection[str]
) -> Receipt:
    """Make a retry durable for all holders that an act chooses and that have something to retry.

    Raises:
        Rejected: ``EVT-007`` without a filter, or when no name fits.
        Transient: ``JRN-001`` when the journal takes none of them.
    """
    if act.code is None and act.route is None:
        raise Rejected("EVT-007", "a retry of many needs a code or a route")
    query = StatusFilter(kind="holder", code=act.code, route=act.route)
    again = {
        state.key: discloses(state, stamp.now)
        async for state in every(journal, query)
        if isinstance(state, HolderState) and can_retry(state)
    }
    if not again:
        check_names(query, routes)
    done = last_events(await _append(journal, stamp, list(again), act.reason))
    return Receipt(
        act=act.act,
        subjects=tuple(done),
        events=done,
        complete=len(done) == len(again),
        discloses=tuple(key for key in done if again[key]),
    )


async def _append(
    journal: Journal, stamp: Stamp, keys: list[SubjectKey], reason: str
) -> list[Event]:
    """Append events; those stored: all, or as many as the journal took before it failed."""
    done: list[Event] = []
    for start in range(0, len(keys), BATCH):
        part = retry_events(stamp, keys[start : start + BATCH], reason)
        try:
            await journal.append(part)
        except Transient:
            if not start:
                raise
            break
        done += part
    return done
