"""Records too large for the journal: the next round leaves them out, so that the rest goes on."""

from typing import Never

from connector.core.journal import Commit, Journal
from connector.core.model import SubjectKey, is_partition
from connector.core.sizes import TooLarge, shortened
from connector.worker.round import RoundDraft


class OnceMore(Exception):
    """The round was not written; it is repeated without the record that was too large."""


class Oversized:
    """Subjects and dead letters with a record that was too large, until a round without them.

    Every fact about such a subject fails in that round, so the subject goes into quarantine.
    """

    def __init__(self) -> None:
        self.subjects: dict[SubjectKey, TooLarge] = {}
        self._letters: set[int] = set()

    async def commit(self, journal: Journal, draft: RoundDraft, commit: Commit) -> None:
        """Commit a round.

        Raises:
            OnceMore: it was not written; the next round leaves out what was too large.
            ConnectorError: as :meth:`connector.core.journal.Journal.commit`.
        """
        try:
            await journal.commit(commit)
        except TooLarge as error:
            self.trace(draft, error)
        self.written()

    def trace(self, draft: RoundDraft, error: TooLarge) -> Never:
        """Find the subject or dead letter whose record was too large.

        Raises:
            OnceMore: the next round leaves it out.
            TooLarge: there is nothing that could be left out.
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
        """Remove the original bytes from dead letters that were too large."""
        if self._letters:
            draft.dead_letters = [
                shortened(one) if one.position in self._letters else one
                for one in draft.dead_letters
            ]

    def written(self) -> None:
        """Forget them: a round without them was committed."""
        self.subjects.clear()
        self._letters.clear()
