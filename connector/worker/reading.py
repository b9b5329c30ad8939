"""What a round reads: events in their order (commands before all else), and the clock's jumps."""

from collections.abc import Iterable

from connector.core.audit import AuditEntry
from connector.core.events import AuditCut, Event, LetterAct, Resumed
from connector.core.journal import DeadLetter, Positioned
from connector.core.metrics import Metrics
from connector.core.model import SubjectKind, is_partition, subject_key
from connector.worker import brakes, partition_commands
from connector.worker.gathering import Letter
from connector.worker.journal_time import JournalTime
from connector.worker.round import RoundDraft


def read(sheet: RoundDraft, commands: Iterable[Positioned], found: Iterable[Letter]) -> None:
    """Put events on the sheet: commands to the partition first, then all else in its order.

    Commands come ahead of what waits before them; met again in their place, they are passed over.
    """
    found = list(found)
    readable = [letter for letter in found if isinstance(letter, Positioned)]
    sheet.dead_letters += [letter for letter in found if isinstance(letter, DeadLetter)]
    for letter in [*commands, *readable]:
        if is_partition(letter.event.subject) and letter.position > sheet.record.commanded:
            _to_the_partition(sheet, letter.event)
            sheet.record = sheet.record.model_copy(update={"commands": letter.position})
    for letter in readable:
        if not is_partition(letter.event.subject):
            sheet.apply(letter.event.subject, letter.event)
    if found:
        sheet.record = sheet.record.model_copy(update={"position": found[-1].position})


def _to_the_partition(sheet: RoundDraft, event: Event) -> None:
    """An act on a dead letter or on the trail; whatever else there is, is a brake."""
    if isinstance(event.body, LetterAct):
        sheet.settled.append(event.body.position)
        sheet.audit.append(partition_commands.letter_entry(event, event.body, sheet.now))
        return
    if isinstance(event.body, AuditCut):
        sheet.record, entry = partition_commands.cut(sheet.record, event, event.body, sheet.now)
        sheet.audit.append(entry)
        return
    if isinstance(event.body, Resumed) and event.received_at < sheet.record.restored:
        # A person who resumed before the restore has not looked at what came after it.
        sheet.audit.append(brakes.entry(event, event.body, sheet.now, outcome="JRN-014"))
        return
    changed, entry = brakes.apply(sheet.record.brakes, event, sheet.now)
    changes: dict[str, object] = {"brakes": changed}
    if isinstance(event.body, Resumed) and event.body.route is None:
        changes["restored"] = 0
    sheet.record = sheet.record.model_copy(update=changes)
    sheet.audit.append(entry)


def note_jumps(sheet: RoundDraft, time: JournalTime | None, metrics: Metrics) -> None:
    """A jump of the wall clock is written down once; nothing expires while it lasts."""
    subject = subject_key("-", SubjectKind.PARTITION, str(sheet.record.partition))
    for direction in [] if time is None else time.jumps():
        metrics.clock_jumped(direction)
        sheet.audit.append(
            AuditEntry(
                at=sheet.now,
                subject=subject,
                action="clock.jumped",
                outcome="CLK-001",
                reason=direction,
            )
        )
