"""Read the contents of a journal, page by page."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Literal, Self

from connector.core.correction import Correction
from connector.core.events import Event
from connector.core.journal import (
    DeadLetter,
    DeadLetterFilter,
    Journal,
    PartitionRecord,
    Positioned,
    StatusFilter,
)
from connector.core.model import DAY, Millis, SubjectKind, parse_subject
from connector.core.rows import KnownId, UnreadableState
from connector.core.states import HolderState, State
from connector.journal.copying.folding import Folded, fold, of_partition, unread

REMEMBERED: Millis = 7 * DAY
"""How long every journal knows ids at least; older ones need not be carried along."""
_KINDS: tuple[Literal["holder", "device", "person"], ...] = ("holder", "device", "person")
_PAGE = 500
_LETTERS = 100


class Survey:
    """A journal at rest. Everything is read page by page, and may be read again."""

    def __init__(self, journal: Journal, records: list[PartitionRecord], folded: Folded) -> None:
        """Made by :meth:`of`."""
        self._journal = journal
        self.records = records
        self.folded = folded

    @classmethod
    async def of(cls, journal: Journal, now: Millis) -> Self:
        """Read the partitions' records, and the commands that wait for them."""
        records = await journal.records()
        return cls(journal, records, await fold(journal, records, now))

    @property
    def time(self) -> Millis:
        """The newest time that the journal has seen."""
        return max(record.time for record in self.records)

    @property
    def commits(self) -> int:
        """The greatest commit counter of its partitions, which no version of a subject exceeds."""
        return max(record.commits for record in self.records)

    @property
    def correction(self) -> Correction | None:
        """Whether times in states are still to be corrected: then all are, from the beginning."""
        return Correction() if any(record.correction for record in self.records) else None

    @property
    def name(self) -> str:
        """A digest that names this journal as it stands; any round of work changes it."""
        places = [
            [one.partition, one.commits, one.position, one.audit_count, one.audit_head]
            for one in self.records
        ]
        return hashlib.sha256(json.dumps(places).encode()).hexdigest()

    async def states(self) -> AsyncIterator[State | UnreadableState]:
        """All states, kind by kind, by key; those that cannot be read as they are stored.

        An act that was running belongs to no owner of the other journal: its epoch is set to 0, so
        that the next owner finds it open.
        """
        for kind in _KINDS:
            query = StatusFilter(kind=kind, limit=_PAGE)
            while page := await self._journal.status(query):
                for state in page:
                    yield _ownerless(state)
                query = query.model_copy(update={"after": page[-1].key})

    async def ids(self) -> AsyncIterator[KnownId]:
        """Ids that subjects have consumed in the last days."""
        async for one in self._journal.known():
            kind = parse_subject(one.subject).kind
            if one.at >= self.time - REMEMBERED and kind is not SubjectKind.PARTITION:
                yield one

    async def events(self) -> AsyncIterator[Event]:
        """Unread events of subjects, those of one subject in their order."""
        for record in self.records:
            async for entry in unread(self._journal, record):
                if isinstance(entry, Positioned) and not of_partition(entry.event):
                    yield entry.event

    async def letters(self) -> AsyncIterator[DeadLetter]:
        """Unsettled dead letters, and unread events that would become one, in a fixed order."""
        query = DeadLetterFilter(limit=_LETTERS)
        while page := await self._journal.dead_letters(query):
            for letter in page:
                if (letter.partition, letter.position) not in self.folded.settled:
                    yield letter
            query = query.model_copy(update={"after": (page[-1].partition, page[-1].position)})
        for letter in self.folded.unread:
            yield letter


def _ownerless(state: State | UnreadableState) -> State | UnreadableState:
    if isinstance(state, UnreadableState):
        return state if state.act_epoch is None else state.model_copy(update={"act_epoch": 0})
    if not isinstance(state, HolderState) or state.running is None:
        return state
    running = state.running.model_copy(update={"epoch": 0})
    return state.model_copy(update={"running": running})
