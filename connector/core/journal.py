"""The contract of a journal, embedded or clustered. One conformance suite runs on both.

A journal has a fixed number of partitions. A subject belongs to one of them for ever
(:func:`connector.core.model.partition_of`). A partition has one owner at a time; taking it over
raises its *owner epoch*, and a commit of an older epoch is refused. Events of a partition are read
in the order in which they became durable, from its read position on; the position moves only with
the commit of what they led to.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from connector.core.audit import AuditRecord, AuditRow
from connector.core.correction import Correction
from connector.core.events import Event
from connector.core.feed import FeedPosition
from connector.core.lenient import LenientRecord
from connector.core.model import Millis, Record, SubjectKey
from connector.core.rows import FIRST_PLACE, Due, HeldUp, KnownId, OpenAct, UnreadableState
from connector.core.states import Brakes, State


class Positioned(Record):
    """An event and the position after it; positions of one partition only grow."""

    position: int
    event: Event


@dataclass(frozen=True, slots=True)
class Commands:
    """Events to a partition itself (brakes, acts on its dead letters and its trail), in order.

    ``whole`` is False while the events stored at the take-over have not all been read yet: a
    brake may be among the rest, so no act may start.
    """

    found: tuple[Positioned, ...] = ()
    whole: bool = True


class DeadLetter(Record):
    """A record that could not be read: its position, the reason, and its exact bytes.

    ``position`` is that of the record among the events of ``partition``; below zero for a letter
    that was brought from another journal. ``original`` is the record's body in base64, ``headers``
    are (name, value in base64) where it had any, ``at`` is when it arrived. It is stored where
    events are and is no more secret than they are.
    """

    partition: int
    position: int
    code: str
    original: str
    at: Millis
    headers: tuple[tuple[str, str], ...] = ()


class DeadLetterFilter(Record):
    """Dead letters to list: from ``since`` to before ``until``, behind (partition, position)."""

    code: str | None = None
    partition: int | None = None
    since: Millis | None = None
    until: Millis | None = None
    after: tuple[int, int] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state to be written. ``state`` None removes the subject."""

    key: SubjectKey
    state: State | UnreadableState | None


class PartitionRecord(LenientRecord):
    """A partition's own record: owner epoch, commits, audit head and count, brakes.

    ``commands``: every event to the partition itself up to this position has been applied; they are
    read ahead of the others, so it may be greater than ``position``. ``audit_cut`` and
    ``audit_cut_head``: the log was exported and truncated up to this record; the next is chained to
    this head. ``copying`` names the journal that this one is copied from: it may not be served
    before that is done. ``audit_key`` names the key that the last audit record was made with; empty
    where an older version made it. ``restored``: when a backup took the place of the journal, until
    a person resumes, or 0. ``time``: journal time of the last commit, ``confirmed``: the newest one
    that an upstream's clock agreed with. ``pulled``: how far the feeds of upstreams (``ca:NAME``,
    ``uem:NAME``) were read (partition 0 only). ``held_up``: by code, subjects that failed and wait.
    ``correction``: times in states are to be corrected, because journal time stepped back.
    """

    partition: int
    epoch: int = 0
    commits: int = 0
    position: int = 0
    commands: int = 0
    audit_head: str = ""
    audit_count: int = 0
    audit_cut: int = 0
    audit_cut_head: str = ""
    brakes: Brakes = Brakes()
    time: Millis = 0
    copying: str = ""
    audit_key: str = Field(default="", max_length=64)
    restored: Millis = 0
    confirmed: Millis = 0
    pulled: dict[str, FeedPosition] = Field(default_factory=dict)
    held_up: dict[str, HeldUp] = Field(default_factory=dict)
    correction: Correction | None = None

    @property
    def commanded(self) -> int:
        """The position behind which events to the partition itself have not been applied yet."""
        return max(self.commands, self.position)


class Commit(Record):
    """All that one loop round of one partition changed; becomes durable as a whole or not at all.

    ``events`` go to other subjects, in whichever partition they live. ``settled`` are positions of
    dead letters of this partition that a person re-queued or dropped: they are not listed any more.
    ``known`` are ids that its subjects have consumed elsewhere, before a journal was copied.
    """

    record: PartitionRecord
    states: tuple[StateRow, ...] = ()
    audit: tuple[AuditRecord, ...] = ()
    events: tuple[Event, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    settled: tuple[int, ...] = ()
    known: tuple[KnownId, ...] = ()


class StatusFilter(Record):
    """Which subjects a status listing names. ``after`` continues behind a key."""

    kind: Literal["holder", "device", "person"] = "holder"
    phase: str | None = None
    route: str | None = None
    code: str | None = None
    after: str = ""
    limit: int = 200


class Journal(Protocol):
    """Durable log of events, states and audit.

    Raises everywhere: ``Transient`` ``JRN-001`` when it is overloaded or cannot be written now,
    ``Permanent`` ``JRN-002`` when it is lost (the process must stop), ``JRN-003`` when another
    owner has taken the partition over.
    """

    @property
    def partitions(self) -> int:
        """How many partitions it has; fixed for its life."""
        ...

    async def open(self) -> None:
        """Open the journal and check what it depends on."""
        ...

    async def close(self) -> None:
        """Finish pending work and close; closing twice is harmless."""
        ...

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """Make events durable. True for each, or False when its id is known to have been taken.

        Returns only when a power loss cannot undo it (promise 1). Events to partitions themselves
        (brakes) become durable all or none; of others, after an error, each may be durable or not,
        and its id makes a repetition harmless. A journal that does not know all ids here returns
        True for one that was taken elsewhere; :meth:`read` still returns the event only once.
        """
        ...

    async def assigned(self, known: frozenset[int]) -> frozenset[int]:
        """The partitions that are this process's to own; returns as soon as they differ from known.

        A rebalance that gives a partition back to its owner changes nothing.
        """
        ...

    def share(self) -> tuple[int, int]:
        """How many partitions are this process's to own, and how many there are."""
        ...

    async def take_over(self, partition: int) -> PartitionRecord:
        """Become the owner: the record with its epoch raised, already durable."""
        ...

    async def read(self, partition: int, after: int, limit: int) -> list[Positioned | DeadLetter]:
        """The next events behind a position, in order; unreadable ones as dead letters.

        An id that its subject has consumed within its retention (at least 7 days) is left out.
        """
        ...

    async def commands(self, partition: int, after: int, *, newest: bool = False) -> Commands:
        """Events to the partition itself behind a position, ahead of all other events.

        With ``newest``, all that were stored before the call are included, or ``whole`` is False.
        :meth:`read` returns them as well, later. Uses an index, or a reader of its own.
        """
        ...

    async def wait(self, partition: int, seconds: float) -> None:
        """Return when there may be new events, or after ``seconds``."""
        ...

    async def load(self, keys: Sequence[SubjectKey]) -> dict[SubjectKey, State]:
        """The states of these subjects; unknown ones are missing."""
        ...

    async def subjects(self, partition: int, after: str, limit: int) -> list[SubjectKey]:
        """The subjects of a partition with a state, by key, behind a key. Uses an index."""
        ...

    async def due(self, partition: int, lane: str, now: Millis, limit: int) -> list[Due]:
        """Subjects of a lane with a want that is due, earliest first, a row each. Uses an index."""
        ...

    async def lanes(self, partition: int) -> list[tuple[str, Millis]]:
        """All lanes in use with the earliest due time of each."""
        ...

    async def open_acts(
        self, partition: int, epoch: int, limit: int, after: tuple[int, int] = FIRST_PLACE
    ) -> list[OpenAct]:
        """Subjects with a ``running`` act of an epoch before ``epoch``, behind a place."""
        ...

    async def commit(self, commit: Commit) -> None:
        """Write one round. Refused with ``JRN-003`` when ``record.epoch`` is not the newest."""
        ...

    async def status(self, query: StatusFilter) -> list[State | UnreadableState]:
        """Subjects for a listing, by key; one that cannot be read is returned as stored."""
        ...

    async def counts(self) -> dict[tuple[str, str, str], int]:
        """How many subjects there are by (kind, route, phase), for gauges."""
        ...

    async def codes(self) -> dict[tuple[str, str, str], int]:
        """How many subjects are blocked by something, by (kind, phase, code)."""
        ...

    async def consumed(self, subject: SubjectKey, name: str) -> bool:
        """Whether a subject has consumed the event with an id, as far as it is known here."""
        ...

    def known(self) -> AsyncIterator[KnownId]:
        """Ids that subjects have consumed and remember, in no particular order."""
        ...

    def audit(self, partition: int, after: int = 0) -> AsyncIterator[AuditRecord]:
        """The audit records of a partition behind a sequence number that can be read, in order."""
        ...

    def audit_rows(self, partition: int, after: int = 0) -> AsyncIterator[AuditRow]:
        """All stored audit records behind a sequence number, damaged ones included.

        It ends, and needs bounded memory for any content.
        """
        ...

    async def records(self) -> list[PartitionRecord]:
        """The partitions' own records; raises ``JRN-012`` when one cannot be read."""
        ...

    async def current_records(self, own: Collection[int]) -> list[PartitionRecord] | None:
        """The records as of this call; None if that cannot be confirmed quickly.

        ``own``: partitions whose records the caller knows; those returned may be older.
        """
        ...

    async def own_records(self) -> dict[int, PartitionRecord | None]:
        """The partitions' own records by number, None for one that is damaged."""
        ...

    async def dead_letters(self, query: DeadLetterFilter) -> list[DeadLetter]:
        """Dead letters that were neither re-queued nor dropped, by partition and position."""
        ...

    def revive(self, letter: DeadLetter) -> Event:
        """The event in a dead letter, parsed and checked as :meth:`read` does it.

        Raises:
            Permanent: ``EVT-005`` when it still cannot be read.
        """
        ...

    async def tidy(self, now: Millis) -> None:
        """Delete what is older than its retention (ids at least 7 days)."""
        ...
