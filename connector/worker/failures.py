"""What becomes of a fact at which the program failed: it is kept, shown, and stops nobody else."""

from collections.abc import Iterable, Iterator

from connector.core.audit import AuditEntry
from connector.core.events import Event
from connector.core.journal import DeadLetter, Positioned
from connector.core.model import SubjectKey
from connector.core.sizes import dead_letter
from connector.worker.quarantine import Quarantine
from connector.worker.round import Failure, RoundDraft


def write_down(
    sheet: RoundDraft, found: Iterable[Positioned | DeadLetter], held: Quarantine
) -> None:
    """Put the failures of a round on its sheet.

    An event becomes a dead letter, which people may put in again. For any other fact the subject is
    held: what it waits for is looked at again after a while, or when an event comes for it.
    """
    if not sheet.failures:
        return
    places = {
        id(letter.event): letter.position for letter in found if isinstance(letter, Positioned)
    }
    for failure in _once(sheet.failures):
        if isinstance(failure.fact, Event):
            place = places[id(failure.fact)]
            sheet.dead_letters.append(_letter(sheet, failure, failure.fact, place))
        else:
            held.hold(failure.key)
        sheet.audit.append(_entry(sheet, failure))


def _once(failures: Iterable[Failure]) -> Iterator[Failure]:
    """Each event; of what else failed for a subject in one round, only the first."""
    told: set[SubjectKey] = set()
    for failure in failures:
        if isinstance(failure.fact, Event):
            yield failure
        elif failure.key not in told:
            told.add(failure.key)
            yield failure


def _letter(sheet: RoundDraft, failure: Failure, event: Event, position: int) -> DeadLetter:
    where = sheet.record.partition, position
    return dead_letter(where, failure.code, event.model_dump_json().encode(), sheet.now)


def _entry(sheet: RoundDraft, failure: Failure) -> AuditEntry:
    return AuditEntry(
        at=sheet.now,
        subject=failure.key,
        action="subject.failed",
        outcome=failure.code,
        reason=type(failure.fact).__name__.lower(),
        details={"error": type(failure.error).__name__},
    )
