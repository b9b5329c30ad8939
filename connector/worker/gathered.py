"""What one round has to deal with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.core.journal import DeadLetter, Due, Positioned
from connector.core.model import SubjectKey, is_partition
from connector.worker.flights import Outcome
from connector.worker.gate import Lane

Letter = Positioned | DeadLetter


@dataclass(frozen=True, slots=True)
class Gathered:
    """Commands to the partition, events, what is due, acts found open, outcomes of effects."""

    commands: Sequence[Positioned]
    letters: Sequence[Letter]
    due: Sequence[tuple[Lane, Due]]
    found: Sequence[SubjectKey]
    outcomes: Sequence[Outcome]

    @property
    def news(self) -> bool:
        """Whether something has happened, so that there may be more at once."""
        return bool(self.commands or self.letters or self.found or self.outcomes)

    @property
    def anything(self) -> bool:
        """Whether there is anything at all."""
        return self.news or bool(self.due)

    def keys(self) -> Iterator[SubjectKey]:
        """The subjects that the round is about."""
        yield from self.found
        for letter in self.letters:
            if isinstance(letter, Positioned) and not is_partition(letter.event.subject):
                yield letter.event.subject
        yield from (key for key, _ in self.outcomes)
        yield from (row.key for _, row in self.due)
