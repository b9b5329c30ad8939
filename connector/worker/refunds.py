"""What the ceiling counted for hand-overs, so that it is given back where no key was fetched."""

from collections.abc import Iterable

from connector.core.facts import Acted
from connector.core.handover import Changed, NotSent
from connector.core.model import Millis, SubjectKey
from connector.worker import brakes
from connector.worker.round import RoundDraft
from connector.worker.running_effects import Outcome


class Refunds:
    """Remembers the count of each hand-over in flight. In memory: a new owner gives none back."""

    def __init__(self) -> None:
        self._counted: dict[SubjectKey, tuple[int, Millis, int]] = {}

    def counted(self, key: SubjectKey, attempt: int, at: Millis, keys: int) -> None:
        """So many keys were counted at a time for an attempt."""
        self._counted[key] = (attempt, at, keys)

    def give_back(self, draft: RoundDraft, outcomes: Iterable[Outcome]) -> None:
        """Put on the sheet what the outcomes prove not to have left escrow."""
        for key, fact in outcomes:
            attempt, at, keys = self._counted.get(key, (0, 0, 0))
            if isinstance(fact, Acted) and fact.attempt == attempt and _fetched_nothing(fact):
                less = brakes.give_back(draft.record.brakes, at, keys)
                draft.record = draft.record.model_copy(update={"brakes": less})

    def settled(self, outcomes: Iterable[Outcome]) -> None:
        """These outcomes are durable."""
        for key, _ in outcomes:
            self._counted.pop(key, None)


def _fetched_nothing(fact: Acted) -> bool:
    """Only an outcome that was checked against what the process told on the way proves it."""
    match fact.result:
        case Changed():
            return True
        case NotSent(disclosed=0):
            return fact.fault is None
        case _:
            return False
