"""What a round reads: events in their order (brakes before all else), and the clock's jumps."""

from collections.abc import Iterable

from connector.core.audit import AuditEntry
from connector.core.events import AuditCut, Event
from connector.core.journal import DeadLetter, Due, Positioned
from connector.core.metrics import Metrics
from connector.core.model import SubjectKey, SubjectKind, parse_subject, subject_key
from connector.worker import brakes, letters, trail
from connector.worker.flights import Outcome
from connector.worker.gate import Lane
from connector.worker.journal_time import JournalTime
from connector.worker.sheet import Sheet

Letter = Positioned | DeadLetter


def read(sheet: Sheet, found: Iterable[Letter]) -> None:
    """Put events on the sheet: brakes first, then everything else in its order."""
    found = list(found)
    readable = [letter.event for letter in found if isinstance(letter, Positioned)]
    sheet.dead_letters += [letter for letter in found if isinstance(letter, DeadLetter)]
    for event in readable:
        if parse_subject(event.subject).kind is SubjectKind.PARTITION:
            _to_the_partition(sheet, event)
    for event in readable:
        if parse_subject(event.subject).kind is not SubjectKind.PARTITION:
            sheet.apply(event.subject, event)
    for letter in found:
        sheet.record = sheet.record.model_copy(update={"position": letter.position})


def _to_the_partition(sheet: Sheet, event: Event) -> None:
    """An act on a dead letter or on the trail; whatever else there is, is a brake."""
    if isinstance(event.body, letters.ACTS):
        sheet.settled.append(event.body.position)
        sheet.audit.append(letters.entry(event, event.body, sheet.now))
        return
    if isinstance(event.body, AuditCut):
        sheet.record, entry = trail.cut(sheet.record, event, event.body, sheet.now)
        sheet.audit.append(entry)
        return
    changed, entry = brakes.apply(sheet.record.brakes, event, sheet.now)
    sheet.record = sheet.record.model_copy(update={"brakes": changed})
    sheet.audit.append(entry)


def note_jumps(sheet: Sheet, time: JournalTime | None, metrics: Metrics) -> None:
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


def keys(
    found: Iterable[Letter], outcomes: Iterable[Outcome], due: Iterable[tuple[Lane, Due]]
) -> Iterable[SubjectKey]:
    """The subjects that a round is about."""
    yield from (letter.event.subject for letter in found if isinstance(letter, Positioned))
    yield from (key for key, _ in outcomes)
    yield from (row.key for _, row in due)
