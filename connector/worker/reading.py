"""What a round reads: events in their order, commands before all else."""

from collections.abc import Callable, Iterable

from connector.core.events import (
    AuditCut,
    ClockAccepted,
    Event,
    LetterAct,
    Resumed,
    SourcePulled,
)
from connector.core.feed import moved
from connector.core.journal import DeadLetter, Positioned
from connector.core.model import is_partition
from connector.worker import brakes, partition_commands
from connector.worker.gathering import Letter
from connector.worker.partition_clock import DOUBT
from connector.worker.round import RoundDraft


def read(
    draft: RoundDraft,
    commands: Iterable[Positioned],
    found: Iterable[Letter],
    accepts: Callable[[Event], bool],
) -> None:
    """Put events on the draft: commands to the partition first, then all else in its order.

    Commands come ahead of what waits before them; met again in their place, they are passed over.
    ``accepts``: whether a wall clock that a person accepted is the one that is meant.
    """
    found = list(found)
    readable = [letter for letter in found if isinstance(letter, Positioned)]
    draft.dead_letters += [letter for letter in found if isinstance(letter, DeadLetter)]
    for letter in [*commands, *readable]:
        if is_partition(letter.event.subject) and letter.position > draft.record.commanded:
            _to_the_partition(draft, letter.event, accepts)
            draft.record = draft.record.model_copy(update={"commands": letter.position})
    for letter in readable:
        if not is_partition(letter.event.subject):
            draft.apply(letter.event.subject, letter.event)
    if found:
        draft.record = draft.record.model_copy(update={"position": found[-1].position})


def _to_the_partition(draft: RoundDraft, event: Event, accepts: Callable[[Event], bool]) -> None:
    """An act on a dead letter, the trail or the clock, or a read position; all else is a brake."""
    if isinstance(event.body, SourcePulled):
        pulled = moved(draft.record.pulled, event.body, event.received_at)
        draft.record = draft.record.model_copy(update={"pulled": pulled})
        return
    if isinstance(event.body, ClockAccepted):
        outcome = "ok" if accepts(event) else DOUBT
        draft.audit.append(brakes.entry(event, event.body, draft.now, outcome=outcome))
        return
    if isinstance(event.body, LetterAct):
        draft.settled.append(event.body.position)
        draft.audit.append(partition_commands.letter_entry(event, event.body, draft.now))
        return
    if isinstance(event.body, AuditCut):
        draft.record, entry = partition_commands.cut(draft.record, event, event.body, draft.now)
        draft.audit.append(entry)
        return
    if isinstance(event.body, Resumed) and event.received_at < draft.record.restored:
        # A person who resumed before the restore has not looked at what came after it.
        draft.audit.append(brakes.entry(event, event.body, draft.now, outcome="JRN-014"))
        return
    changed, entry = brakes.apply(draft.record.brakes, event, draft.now)
    changes: dict[str, object] = {"brakes": changed}
    if isinstance(event.body, Resumed) and event.body.route is None:
        changes["restored"] = 0
    draft.record = draft.record.model_copy(update=changes)
    draft.audit.append(entry)
