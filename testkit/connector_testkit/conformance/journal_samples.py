"""Records that the journal suite writes, and the world it writes them in."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from itertools import count, islice
from typing import Any, Protocol, TypeVar

import pytest

from connector.core.audit import AuditEntry, AuditRecord, link
from connector.core.errors import ConnectorError
from connector.core.events import DeviceChanged, Event, event_id
from connector.core.journal import Commit, Journal, PartitionRecord, Positioned
from connector.core.model import SubjectKey, SubjectKind, partition_of, subject_key
from connector.core.secret import Credential
from connector.core.states import Effect, HolderState, Running, Want

T = TypeVar("T")

TENANT = "acme"
KEY = Credential("conformance-suite-" + "k" * 32)
PATIENCE = 10.0
"""Seconds after which something that should have happened counts as missing."""


class JournalWorld(Protocol):
    """A journal that is open, and what the suite does to it from outside.

    It has at least two partitions and is empty at first. ``restart`` closes it and opens the same
    one again, as after a stop of the process; ``plant`` makes durable, as the next record of a
    partition, bytes that are no event. ``knows_ids``: appending tells known ids from new ones; a
    journal of many processes learns of them only when it reads.
    """

    journal: Journal
    knows_ids: bool

    async def restart(self) -> None:
        """Close, and open again."""
        ...

    async def plant(self, partition: int, original: bytes) -> None:
        """Write a record that cannot be read."""
        ...


def subjects(
    journal: Journal, partition: int = 0, kind: SubjectKind = SubjectKind.HOLDER
) -> Iterator[SubjectKey]:
    """Subjects that lie in a partition, by rising number."""
    keys = (subject_key(TENANT, kind, f"{number:06}") for number in count())
    return (key for key in keys if partition_of(key, journal.partitions) == partition)


def some_subjects(journal: Journal, number: int, partition: int = 0) -> list[SubjectKey]:
    """The first holders of a partition, in the order of their keys."""
    return list(islice(subjects(journal, partition), number))


def event(subject: SubjectKey, name: str = "", *, at: int = 1_000) -> Event:
    """An event of a subject; the same ``name`` gives the same id."""
    return Event(
        id=event_id(subject, name),
        tenant=TENANT,
        subject=subject,
        source="workspace-one",
        received_at=at,
        body=DeviceChanged(what=name),
    )


def numbered(subject: SubjectKey, number: int) -> list[Event]:
    """``number`` events of one subject."""
    return [event(subject, str(place)) for place in range(number)]


def want(lane: str, due: int) -> Want:
    """A want; what it is for does not matter to a journal."""
    return Want(effect=Effect.LIST, due=due, lane=lane)


def holder(key: SubjectKey, **parts: Any) -> HolderState:
    """A holder's state with some parts of it."""
    return HolderState(key=key, **parts)


def acting(key: SubjectKey, epoch: int) -> HolderState:
    """A holder with an act that was started in an epoch."""
    act = Running(effect=Effect.HAND_OVER, attempt=1, started_at=1, limit=60_000, epoch=epoch)
    return holder(key, running=act)


def chained(record: PartitionRecord, number: int, subject: SubjectKey) -> list[AuditRecord]:
    """The next audit records of a partition."""
    entries = [AuditEntry(at=1, subject=subject, action=f"sample.{n}") for n in range(number)]
    return list(
        link(
            KEY,
            partition=record.partition,
            epoch=record.epoch,
            head=record.audit_head,
            count=record.audit_count,
            entries=entries,
        )
    )


def next_round(record: PartitionRecord, **parts: Any) -> Commit:
    """A round behind ``record``; ``position`` goes into its record, the rest into the commit."""
    audit: Sequence[AuditRecord] = parts.get("audit", ())
    after = record.model_copy(
        update={
            "commits": record.commits + 1,
            "position": parts.pop("position", record.position),
            "audit_count": record.audit_count + len(audit),
            "audit_head": audit[-1].mac if audit else record.audit_head,
        }
    )
    return Commit(record=after, **{name: tuple(value) for name, value in parts.items()})


async def take(world: JournalWorld, events: Sequence[Event], new: Sequence[bool]) -> None:
    """Append events of which some are new; a journal that cannot know must take them all."""
    told = await world.journal.append(events)
    assert told == (list(new) if world.knows_ids else [True] * len(events))


async def written(journal: Journal, record: PartitionRecord, **parts: Any) -> PartitionRecord:
    """Commit the next round; the record behind it."""
    commit = next_round(record, **parts)
    await journal.commit(commit)
    return commit.record


async def read_ids(journal: Journal, partition: int, after: int = 0) -> list[str]:
    """Ids of all events behind a position."""
    found = await journal.read(partition, after, 10_000)
    return [entry.event.id for entry in found if isinstance(entry, Positioned)]


async def refusal(verb: Awaitable[object]) -> ConnectorError:
    """The error that ``verb`` must end with."""
    with pytest.raises(ConnectorError) as caught:
        await verb
    return caught.value


async def soon(verb: Awaitable[object]) -> None:
    """Await something that must not take long."""
    await soon_of(verb)


async def soon_of(verb: Awaitable[T]) -> T:
    """What something returns that must not take long."""
    async with asyncio.timeout(PATIENCE):
        return await verb
