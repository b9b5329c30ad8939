"""Subjects whose facts make the program fail: the failure is recorded, the subject is paused.

All other subjects of the partition go on.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from connector.core.audit import AuditEntry
from connector.core.events import Event
from connector.core.journal import DeadLetter, Positioned
from connector.core.model import Millis, SubjectKey
from connector.core.rows import HeldUp
from connector.core.sizes import dead_letter
from connector.worker.round import Failure, RoundDraft

FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0


class _Pause(NamedTuple):
    """Until when a subject is paused, how long that is, and the code of the failure."""

    until: float
    seconds: float
    code: str


class Quarantine:
    """Which subjects are paused, and until when. In memory: a new owner tries each once more.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._paused: dict[SubjectKey, _Pause] = {}
        self._since: dict[str, OrderedDict[SubjectKey, Millis]] = {}
        self._earlier: dict[str, HeldUp] = {}

    def __contains__(self, key: object) -> bool:
        """Whether a subject is paused now."""
        return key in self._paused and self._monotonic() < self._paused[key].until

    def __len__(self) -> int:
        """How many subjects failed and have not advanced since."""
        return len(self._paused)

    def __bool__(self) -> bool:
        """Whether there is a subject whose advance has to be noted."""
        return bool(self._paused or self._earlier)

    def taken_over(self, held_up: Mapping[str, HeldUp]) -> None:
        """Note whom the owner before left alone: the oldest of a code waits since then."""
        self._earlier = dict(held_up)

    def hold(self, key: SubjectKey, code: str, now: Millis) -> None:
        """Pause a subject; each further failure doubles the pause, up to an hour."""
        before = self._paused.get(key)
        if before is not None and before.code != code:
            self._since[before.code].pop(key)
        seconds = FIRST_PAUSE if before is None else min(before.seconds * 2, LONGEST_PAUSE)
        self._paused[key] = _Pause(self._monotonic() + seconds, seconds, code)
        since = self._since.setdefault(code, OrderedDict())
        earlier = self._earlier.get(code)
        if key not in since and earlier is not None and earlier.subject == key:
            since[key] = min(earlier.since, now)
            since.move_to_end(key, last=False)
        since.setdefault(key, now)

    def advanced(self, key: SubjectKey) -> None:
        """Remove a subject that has advanced: if it fails again, it waits since then."""
        for code in [code for code, held in self._earlier.items() if held.subject == key]:
            del self._earlier[code]
        before = self._paused.pop(key, None)
        if before is not None:
            self._since[before.code].pop(key)

    def without(self, advancing: Collection[SubjectKey]) -> Mapping[str, HeldUp]:
        """Who is left, by code, once these have advanced."""
        left: dict[str, HeldUp] = {}
        for code, since in self._since.items():
            first = next((key for key in since if key not in advancing), None)
            if first is not None:
                count = len(since) - sum(key in since for key in advancing)
                left[code] = HeldUp(count=count, since=since[first], subject=first)
        return left


def record_failures(
    draft: RoundDraft, found: Iterable[Positioned | DeadLetter], quarantine: Quarantine
) -> None:
    """Add the failures of a round to its draft, and who is held up once it is written.

    An event becomes a dead letter, which operators may re-queue. For any other fact the subject is
    paused: what it waits for is tried again after the pause, or when an event for it arrives.
    """
    if draft.failures:
        _add(draft, found, quarantine)
    if quarantine or draft.record.held_up:
        held_up = quarantine.without(draft.states)
        draft.record = draft.record.model_copy(update={"held_up": held_up})


def _add(
    draft: RoundDraft, found: Iterable[Positioned | DeadLetter], quarantine: Quarantine
) -> None:
    places = {
        id(letter.event): letter.position for letter in found if isinstance(letter, Positioned)
    }
    for failure in _once(draft.failures):
        if isinstance(failure.fact, Event):
            place = places[id(failure.fact)]
            draft.dead_letters.append(_letter(draft, failure, failure.fact, place))
        else:
            quarantine.hold(failure.key, failure.code, draft.now)
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
        reason=getattr(failure.fact, "effect", type(failure.fact).__name__.lower()),
        details={"error": type(failure.error).__name__},
    )
