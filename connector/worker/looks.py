"""Looks that found nothing new: counted in the state, and summed up in one audit record.

A look at a phone that is switched off is repeated for days. An audit record for each would bury the
important ones, so looks are counted per subject, and one record says how many there were: after an
hour, or before the next audit record about the subject. What discloses something (a listing, a
hand-over) and every act always has a record of its own.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from connector.core.audit import AuditEntry
from connector.core.model import HOUR, Millis
from connector.core.states import DeviceState, HolderState, Looks, State

QUIET: Final = frozenset(
    {"device.looked_up", "holder.looked_up", "recovery.looked", "install.looked", "copy.looked"}
)
SUMMED: Final = "looks.summed"


def fold(
    before: State, after: State, audit: Sequence[AuditEntry], now: Millis, *, alone: bool
) -> tuple[State, list[AuditEntry]]:
    """Return the state with its looks counted, and the audit entries to be written.

    Args:
        before: the state before the step; its looks are those counted so far.
        after: the state after the step.
        audit: what the step would write.
        now: journal time.
        alone: whether the step did nothing but what ``audit`` says.
    """
    if not isinstance(after, HolderState | DeviceState) or not audit:
        return after, list(audit)
    counted = before.looks if isinstance(before, HolderState | DeviceState) else None
    quiet = alone and all(entry.action in QUIET for entry in audit)
    if quiet:
        counted = _with(counted, audit, now)
    if counted is None:
        return after, list(audit)
    if quiet and now - counted.since < HOUR:
        return after.model_copy(update={"looks": counted}), []
    summed = _summed(counted, after, now)
    rest = [] if quiet else list(audit)
    return after.model_copy(update={"looks": None}), [summed, *rest]


def _with(counted: Looks | None, audit: Sequence[AuditEntry], now: Millis) -> Looks:
    counts = Counter(dict(counted.counts) if counted else {})
    counts.update(f"{entry.action} {entry.outcome}" for entry in audit)
    return Looks(since=counted.since if counted else now, counts=dict(sorted(counts.items())))


def _summed(counted: Looks, state: State, now: Millis) -> AuditEntry:
    return AuditEntry(
        at=now,
        subject=state.key,
        action=SUMMED,
        route=state.route if isinstance(state, HolderState) else None,
        details={"since": counted.since, "counts": dict(counted.counts)},
    )
