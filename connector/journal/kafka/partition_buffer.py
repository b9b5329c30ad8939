"""Events of one partition that were read and are not committed yet, each once."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from connector.core.events import UNREMEMBERED
from connector.core.journal import DeadLetter, Positioned
from connector.core.model import Millis, SubjectKey
from connector.journal.kafka.cloudevents import Incoming

FULL = 512
"""Number of records that wait in memory for their owner; more stay with the broker."""

Entry = Positioned | DeadLetter


class Consumed(NamedTuple):
    """An event that a round consumed."""

    subject: SubjectKey
    id: str
    received_at: Millis


def consumed(entries: Iterable[Entry]) -> list[Consumed]:
    """The events whose ids have to be remembered, so that they are not read again."""
    return [
        Consumed(entry.event.subject, entry.event.id, entry.event.received_at)
        for entry in entries
        if isinstance(entry, Positioned) and not isinstance(entry.event.body, UNREMEMBERED)
    ]


class PartitionBuffer:
    """Records behind a position, in order, until the position has passed them.

    ``after`` is the position behind which it begins; ``wanted`` the position up to which there
    are records for certain, because this process wrote them.
    """

    def __init__(self) -> None:
        self.open = False
        self.after = 0
        self.wanted = 0
        self.arrived = asyncio.Event()
        self._raw: deque[Incoming] = deque()
        self._entries: deque[Entry] = deque()
        self._first: dict[tuple[SubjectKey, str], int] = {}

    def begin(self, after: int) -> None:
        """Open the buffer, empty, behind a position."""
        self.open = True
        self.after = after
        self._raw.clear()
        self._entries.clear()
        self._first.clear()

    def close(self) -> None:
        """Close and empty the buffer."""
        self.begin(0)
        self.open = False
        self.wanted = 0

    @property
    def waiting(self) -> int:
        """How many records it holds."""
        return len(self._raw) + len(self._entries)

    def oldest(self) -> Millis | None:
        """When the first record that it holds came; None while it is empty."""
        for entry in self._entries:
            return entry.event.received_at if isinstance(entry, Positioned) else entry.at
        return self._raw[0].timestamp if self._raw else None

    def put(self, records: Sequence[Incoming]) -> None:
        """Add records of the consumer, if the buffer is open."""
        if self.open:
            self._raw.extend(records)
            self.arrived.set()

    def take_raw(self, limit: int) -> list[Incoming]:
        """The next records that were not looked at yet."""
        return [self._raw.popleft() for _ in range(min(limit, len(self._raw)))]

    def add(
        self, entries: Sequence[Entry], known: Mapping[SubjectKey, Mapping[str, Millis]]
    ) -> None:
        """Add entries, except those whose id their subject knows or that are here already."""
        for entry in entries:
            if isinstance(entry, Positioned):
                subject, name = entry.event.subject, entry.event.id
                if name in known.get(subject, ()) or (subject, name) in self._first:
                    continue
                self._first[subject, name] = entry.position
            self._entries.append(entry)

    def entries(self, limit: int) -> list[Entry]:
        """The first ``limit`` entries; they stay in the buffer."""
        return [entry for entry, _ in zip(self._entries, range(limit), strict=False)]

    def consumed(self, position: int, unread: Collection[int] = ()) -> list[Consumed]:
        """The events up to a position.

        The id of one that was set aside as a dead letter (``unread``) may come again.
        """
        return consumed(
            entry
            for entry in self._entries
            if entry.position <= position and entry.position not in unread
        )

    def pass_by(self, position: int) -> None:
        """Remove what lies before a committed position."""
        self.after = max(self.after, position)
        while self._entries and self._entries[0].position <= position:
            entry = self._entries.popleft()
            if isinstance(entry, Positioned):
                self._first.pop((entry.event.subject, entry.event.id), None)
        while self._raw and self._raw[0].offset < position:
            self._raw.popleft()
