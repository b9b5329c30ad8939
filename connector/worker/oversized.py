"""What of a round the journal does not take: the next one leaves it out, and all else goes on."""

from typing import Never

from connector.core.journal import Commit, Journal
from connector.core.model import SubjectKey, is_partition
from connector.core.sizes import TooLarge, shortened
from connector.worker.round import RoundDraft


class OnceMore(Exception):
    """The round was not written; the same without what was too large may be."""


class Oversized:
    """Subjects and dead letters of which a record was too large, until a round without them.

    A subject that is left out fails at each fact of the round, which shows it and holds it.
    """

    def __init__(self) -> None:
        self.subjects: dict[SubjectKey, TooLarge] = {}
        self._letters: set[int] = set()

    async def commit(self, journal: Journal, draft: RoundDraft, commit: Commit) -> None:
        """Commit a round.

        Raises:
            OnceMore: it was not written; the next one will leave out what was too large.
            ConnectorError: as :meth:`connector.core.journal.Journal.commit`.
        """
        try:
            await journal.commit(commit)
        except TooLarge as error:
            self.trace(draft, error)
        self.written()

    def trace(self, draft: RoundDraft, error: TooLarge) -> Never:
        """Find whose record it was.

        Raises:
            OnceMore: it will be left out.
            TooLarge: nothing can be left out for it.
        """
        part, key, index = error.place
        if part == "dead letter":
            self._leave_out_bytes(draft.dead_letters[index].position, error)
        if part == "event":
            key = draft.origins[index]
        if key in self.subjects or is_partition(key):
            raise error
        self.subjects[key] = error
        raise OnceMore from error

    def _leave_out_bytes(self, position: int, error: TooLarge) -> Never:
        if position in self._letters:
            raise error
        self._letters.add(position)
        raise OnceMore from error

    def shorten(self, draft: RoundDraft) -> None:
        """Leave the bytes of letters that were too large out of them."""
        if self._letters:
            draft.dead_letters = [
                shortened(one) if one.position in self._letters else one
                for one in draft.dead_letters
            ]

    def written(self) -> None:
        """A round without them is durable."""
        self.subjects.clear()
        self._letters.clear()
