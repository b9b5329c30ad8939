"""Subjects whose facts make the program fail: the failure is recorded, the subject is paused.

All other subjects of the partition go on.
"""

from collections.abc import Callable, Iterable, Iterator

from connector.core.audit import AuditEntry
from connector.core.events import Event
from connector.core.facts import Fact
from connector.core.journal import DeadLetter, Positioned
from connector.core.model import SubjectKey
from connector.core.sizes import dead_letter
from connector.core.states import Effect
from connector.worker.round import Failure, RoundDraft

FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0


class Quarantine:
    """Which subjects are paused, and until when. In memory: a new owner tries each once more.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[SubjectKey, tuple[float, float]] = {}

    def __contains__(self, key: object) -> bool:
        """Whether a subject is paused now."""
        return key in self._until and self._monotonic() < self._until[key][0]

    def __len__(self) -> int:
        """How many subjects failed and have not advanced since."""
        return len(self._until)

    def hold(self, key: SubjectKey) -> None:
        """Pause a subject; each further failure doubles the pause, up to an hour."""
        _, before = self._until.get(key, (0.0, FIRST_PAUSE / 2))
        pause = min(before * 2, LONGEST_PAUSE)
        self._until[key] = (self._monotonic() + pause, pause)

    def advanced(self, key: SubjectKey) -> None:
        """Remove a subject that has advanced."""
        self._until.pop(key, None)


def record_failures(
    draft: RoundDraft, found: Iterable[Positioned | DeadLetter], quarantine: Quarantine
) -> None:
    """Add the failures of a round to its draft.

    An event becomes a dead letter, which operators may re-queue. For any other fact the subject is
    paused: what it waits for is tried again after the pause, or when an event for it arrives.
    """
    if not draft.failures:
        return
    places = {
        id(letter.event): letter.position for letter in found if isinstance(letter, Positioned)
    }
    for failure in _once(draft.failures):
        if isinstance(failure.fact, Event):
            place = places[id(failure.fact)]
            draft.dead_letters.append(_letter(draft, failure, failure.fact, place))
        else:
            quarantine.hold(failure.key)
        draft.audit.append(_entry(draft, failure))


def _once(failures: Iterable[Failure]) -> Iterator[Failure]:
    """Every failed event; of the other failures of a subject in one round, only the first."""
    seen: set[SubjectKey] = set()
    for failure in failures:
        if isinstance(failure.fact, Event):
            yield failure
        elif failure.key not in seen:
            seen.add(failure.key)
            yield failure


def _letter(draft: RoundDraft, failure: Failure, event: Event, position: int) -> DeadLetter:
    where = draft.record.partition, position
    return dead_letter(where, failure.code, event.model_dump_json().encode(), draft.now)


def _entry(draft: RoundDraft, failure: Failure) -> AuditEntry:
    return AuditEntry(
        at=draft.now,
        subject=failure.key,
        action="subject.failed",
        outcome=failure.code,
        reason=_kind(failure.fact),
        details={"error": type(failure.error).__name__},
    )


def _kind(fact: Fact) -> str:
    """The effect that a fact is about; the kind of any other fact."""
    effect: Effect | None = getattr(fact, "effect", None)
    return effect.value if effect else type(fact).__name__.lower()
