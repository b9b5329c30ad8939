"""Writes into all partitions of a journal, many things with one commit."""

from dataclasses import dataclass, field

from connector.core.audit import AuditEntry, key_name, link
from connector.core.journal import (
    Commit,
    DeadLetter,
    Journal,
    PartitionRecord,
    StateRow,
)
from connector.core.model import partition_of
from connector.core.rows import KnownId, UnreadableState
from connector.core.secret import Credential
from connector.core.states import State

FULL = 500


@dataclass(slots=True)
class _Round:
    """The content of the next commit of one partition."""

    states: list[StateRow] = field(default_factory=list)
    known: list[KnownId] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.states) + len(self.known) + len(self.letters)


class Writer:
    """The owner of every partition of a journal. ``key`` is that of the trail's MAC."""

    def __init__(self, journal: Journal, key: Credential) -> None:
        self._journal = journal
        self._key = key
        self._rounds = [_Round() for _ in range(journal.partitions)]
        self.records: list[PartitionRecord] = []

    async def take_over(self) -> None:
        """Own all partitions: earlier owners cannot commit any more."""
        self.records = [
            await self._journal.take_over(number) for number in range(self._journal.partitions)
        ]

    async def put_state(self, state: State | UnreadableState) -> None:
        """Write a state; :meth:`flush` makes sure of it."""
        number = self._place(state.key)
        self._rounds[number].states.append(StateRow(key=state.key, state=state))
        await self._flush_full(number)

    async def put_id(self, known: KnownId) -> None:
        """Let an id be known to its subject."""
        number = self._place(known.subject)
        self._rounds[number].known.append(known)
        await self._flush_full(number)

    async def put_letter(self, letter: DeadLetter) -> None:
        """Write a dead letter at its place."""
        self._rounds[letter.partition].letters.append(letter)
        await self._flush_full(letter.partition)

    async def flush(self) -> None:
        """Write what waits."""
        for number, waiting in enumerate(self._rounds):
            if waiting.size:
                await self._flush(number)

    async def note(self, number: int, entries: list[AuditEntry], **changes: object) -> None:
        """Write audit entries, and changes to the partition's own record."""
        await self._commit(number, _Round(), entries, changes)

    def _place(self, key: str) -> int:
        return partition_of(key, len(self._rounds))

    async def _flush_full(self, number: int) -> None:
        if self._rounds[number].size >= FULL:
            await self._flush(number)

    async def _flush(self, number: int) -> None:
        waiting, self._rounds[number] = self._rounds[number], _Round()
        await self._commit(number, waiting, [], {})

    async def _commit(
        self, number: int, parts: _Round, entries: list[AuditEntry], changes: dict[str, object]
    ) -> None:
        before = self.records[number]
        head, count = before.audit_head, before.audit_count
        chained = tuple(
            link(
                self._key,
                partition=number,
                epoch=before.epoch,
                head=head,
                count=count,
                entries=entries,
            )
        )
        after: dict[str, object] = {
            "commits": before.commits + 1,
            "audit_count": count + len(chained),
            "audit_key": key_name(self._key) if chained else before.audit_key,
            "audit_head": chained[-1].mac if chained else head,
        }
        record = before.model_copy(update=after | changes)
        await self._journal.commit(
            Commit(
                record=record,
                states=tuple(parts.states),
                known=tuple(parts.known),
                dead_letters=tuple(parts.letters),
                audit=chained,
            )
        )
        self.records[number] = record
