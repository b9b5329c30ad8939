"""Give keys back to the ceiling when a hand-over fetched none."""

from collections.abc import Iterable

from connector.core.facts import HandedOver
from connector.core.handover import Changed, HandoverOutcome, NotSent
from connector.core.model import Millis, SubjectKey
from connector.worker import brakes
from connector.worker.round import RoundDraft
from connector.worker.running_effects import Outcome


class Refunds:
    """The keys counted for each running hand-over. In memory: a new owner gives none back."""

    def __init__(self) -> None:
        self._counted: dict[SubjectKey, tuple[int, Millis, int]] = {}

    def counted(self, key: SubjectKey, attempt: int, at: Millis, keys: int) -> None:
        """Note that ``keys`` were counted at a time for an attempt."""
        self._counted[key] = (attempt, at, keys)

    def give_back(self, draft: RoundDraft, outcomes: Iterable[Outcome]) -> None:
        """Take off the draft's count the keys that, by these outcomes, did not leave escrow."""
        for key, fact in outcomes:
            attempt, at, keys = self._counted.get(key, (0, 0, 0))
            if not isinstance(fact, HandedOver) or fact.attempt != attempt:
                continue
            if _fetched_nothing(fact.outcome):
                less = brakes.give_back(draft.record.brakes, at, keys)
                draft.record = draft.record.model_copy(update={"brakes": less})

    def settled(self, outcomes: Iterable[Outcome]) -> None:
        """Forget the counts of outcomes that were committed."""
        for key, _ in outcomes:
            self._counted.pop(key, None)


def _fetched_nothing(outcome: HandoverOutcome) -> bool:
    """Whether it is proven: only by an outcome that agrees with the process's progress reports."""
    match outcome:
        case Changed() | NotSent(disclosed=0):
            return True
        case _:
            return False
