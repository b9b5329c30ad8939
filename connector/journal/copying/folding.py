"""The brakes of a journal's partitions, and commands to partitions that were not applied yet.

Commands to partitions cannot be copied, because the other journal has other partitions. They are
applied here instead, as the partitions' owners would have done, and recorded in the new audit log.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from connector.core.audit import AuditEntry
from connector.core.events import Event, LetterAct, SourcePulled
from connector.core.feed import FeedPosition, moved
from connector.core.journal import DeadLetter, Journal, PartitionRecord, Positioned
from connector.core.model import Millis, SubjectKind, parse_subject
from connector.core.states import Brakes, standing
from connector.worker import brakes, partition_commands

_AT_ONCE = 256
_EMPTY_READS = 3
"""A read may be empty although more is there, where all that it met were repetitions."""


@dataclass(slots=True)
class Folded:
    """Brakes of all partitions, settled dead letters, and unreadable events not set aside yet.

    ``pulled``: how far feeds have been read.
    """

    brakes: Brakes
    entries: list[AuditEntry] = field(default_factory=list)
    settled: set[tuple[int, int]] = field(default_factory=set)
    unread: list[DeadLetter] = field(default_factory=list)
    pulled: dict[str, FeedPosition] = field(default_factory=dict)


async def unread(
    journal: Journal, record: PartitionRecord
) -> AsyncIterator[Positioned | DeadLetter]:
    """All that stands behind the read position of a partition, in order."""
    position, empty = record.position, 0
    while empty < _EMPTY_READS:
        found = await journal.read(record.partition, position, _AT_ONCE)
        empty = 0 if found else empty + 1
        for entry in found:
            yield entry
            position = entry.position


async def fold(journal: Journal, records: Iterable[PartitionRecord], now: Millis) -> Folded:
    """Apply what waits for the partitions themselves."""
    folded = Folded(Brakes())
    held: list[Brakes] = []
    for record in records:
        kept = record.brakes
        folded.pulled |= record.pulled
        async for entry in unread(journal, record):
            if isinstance(entry, DeadLetter):
                folded.unread.append(entry)
            elif of_partition(entry.event) and entry.position > record.commands:
                kept = _apply(folded, record.partition, kept, entry.event, now)
        held.append(kept)
    folded.brakes = merged(held)
    return folded


def of_partition(event: Event) -> bool:
    """Whether an event is for a partition itself."""
    return parse_subject(event.subject).kind is SubjectKind.PARTITION


def _apply(folded: Folded, partition: int, kept: Brakes, event: Event, now: Millis) -> Brakes:
    if isinstance(event.body, LetterAct):
        folded.settled.add((partition, event.body.position))
        folded.entries.append(partition_commands.letter_entry(event, event.body, now))
        return kept
    if isinstance(event.body, SourcePulled):
        folded.pulled = moved(folded.pulled, event.body, event.received_at)
        return kept
    kept, entry = brakes.apply(kept, event, now)
    folded.entries.append(entry)
    return kept


def merged(held: Iterable[Brakes]) -> Brakes:
    """Merge brakes: a pause of one partition pauses all; disclosed keys are added up."""
    held = list(held)
    disclosed: dict[Millis, int] = {}
    for one in held:
        for minute, keys in one.disclosed:
            disclosed[minute] = disclosed.get(minute, 0) + keys
    paused = [one.paused_since for one in held if one.paused_since is not None]
    released = [one.released_at for one in held if one.released_at is not None]
    return Brakes(
        all_paused=any(one.all_paused for one in held),
        routes_paused=frozenset().union(*(one.routes_paused for one in held)),
        paused_since=min(paused, default=None),
        released_at=max(released, default=None),
        disclosed=tuple(sorted(disclosed.items())),
        pauses=tuple(one for one in standing(held) if one.by),
    )
