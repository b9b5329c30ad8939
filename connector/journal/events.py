"""The table of events: order, known ids, and retention.

Positions are given by the writer, one number line for all partitions. A position is never used
twice: rows are only deleted behind the read position of their partition, so the highest position
ever given is found again at start as the highest row or the highest read position.
"""

import base64
from collections.abc import Iterable, Sequence
from itertools import chain

from pydantic import TypeAdapter

from connector.core.errors import Permanent
from connector.core.events import Event
from connector.core.journal import Commands, DeadLetter, Positioned
from connector.core.model import Millis, is_partition, parse_subject, partition_of
from connector.core.rows import KnownId
from connector.core.sizes import dead_letter
from connector.journal.database import Connection

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)

EventRow = tuple[int, str, Millis, bytes, str | None]
"""Partition, id, time of receipt, JSON, and the subject where it is the partition itself."""

INSERT = """
    INSERT INTO events (position, partition, id, at, event, subject) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO NOTHING"""

_COMMANDS = 256
"""Events to the partition itself that are read at once."""

_TOGETHER = 8
INSERTS = tuple(
    INSERT.replace("(?, ?, ?, ?, ?, ?)", ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows))
    for rows in range(_TOGETHER + 1)
)
"""By the number of rows. Every statement releases the interpreter lock and takes it again; with
a few rows in each the writer's thread and the event loop get less into each other's way."""

READ = """
    SELECT position, at, event FROM events
    WHERE partition = ? AND position > ? AND event IS NOT NULL ORDER BY position LIMIT ?"""

COMMANDS = """
    SELECT position, at, event FROM events
    WHERE partition = ? AND position > ? AND event IS NOT NULL AND subject IS NOT NULL
    ORDER BY position LIMIT ?"""

# The subject is kept, so that the id can be copied to another journal.
EMPTY = """
    UPDATE events SET event = NULL, subject = CASE WHEN json_valid(CAST(event AS TEXT))
        THEN json_extract(CAST(event AS TEXT), '$.subject') END
    WHERE position IN (
        SELECT position FROM (
            SELECT position, at FROM events
            WHERE partition = ? AND position <= ? AND event IS NOT NULL ORDER BY position LIMIT ?
        ) WHERE at < ?)"""

# What could not be read may come again: re-queued, or repeated by its sender.
_UNREAD = "unread "
FREE = "UPDATE events SET id = 'unread ' || position WHERE partition = ? AND position = ?"

REMEMBER = """
    INSERT INTO events (position, partition, id, at, subject) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO NOTHING"""

UNREAD = """
    SELECT count(*), min(at) FROM partitions CROSS JOIN events
    WHERE events.partition = partitions.partition AND events.position > partitions.position
        AND events.event IS NOT NULL"""

KNOWN = """
    SELECT position, coalesce(subject, CASE WHEN json_valid(CAST(event AS TEXT))
        THEN json_extract(CAST(event AS TEXT), '$.subject') END), id, at
    FROM events
    WHERE position > ? AND (event IS NULL OR position <= (
        SELECT position FROM partitions WHERE partitions.partition = events.partition))
    ORDER BY position LIMIT ?"""

CONSUMED = """
    SELECT count(*) FROM events JOIN partitions USING (partition)
    WHERE id = ? AND events.position <= partitions.position"""

FORGET = """
    DELETE FROM events WHERE position IN (
        SELECT position FROM events WHERE event IS NULL AND at < ? ORDER BY at LIMIT ?)"""


def row_of(event: Event, partitions: int) -> EventRow:
    """An event as it is stored."""
    subject = event.subject
    command = subject if is_partition(subject) else None
    partition = partition_of(subject, partitions)
    return partition, event.id, event.received_at, _EVENT.serializer.to_json(event), command


def read(
    connection: Connection, partition: int, after: int, limit: int
) -> list[Positioned | DeadLetter]:
    """The next events behind a position, in order; what cannot be read as a dead letter."""
    rows = connection.execute(READ, (partition, after, limit))
    return [_entry(partition, position, at, event) for position, at, event in rows]


def commands(connection: Connection, partition: int, after: int) -> Commands:
    """Events to the partition itself behind a position; the unreadable are left to :func:`read`."""
    rows = connection.execute(COMMANDS, (partition, after, _COMMANDS)).fetchall()
    found = [_entry(partition, position, at, event) for position, at, event in rows]
    return Commands(
        tuple(entry for entry in found if isinstance(entry, Positioned)), len(rows) < _COMMANDS
    )


def is_consumed(connection: Connection, name: str) -> bool:
    """Whether the event with an id lies before the read position of its partition."""
    (count,) = connection.execute(CONSUMED, (name,)).fetchone()
    return bool(count)


def unread(connection: Connection) -> tuple[int, Millis | None]:
    """How many events lie behind the read position of their partition, and the oldest time."""
    (count, oldest) = connection.execute(UNREAD).fetchone()
    return count, oldest


def parse(text: bytes) -> Event:
    """An event as it is stored.

    Raises:
        ValueError: when it is none, or its subject is no key of one.
    """
    event = _EVENT.validate_json(text)
    parse_subject(event.subject)
    return event


def revive(letter: DeadLetter, partitions: int) -> Event:
    """Parse the event in a dead letter again.

    Raises:
        Permanent: ``EVT-005`` when it still cannot be read, or names a partition that is not there.
    """
    try:
        event = parse(base64.b64decode(letter.original))
        if partition_of(event.subject, partitions) in range(partitions):
            return event
    except ValueError as error:
        raise Permanent("EVT-005", "reading a dead letter") from error
    raise Permanent("EVT-005", "reading a dead letter: its partition does not exist")


def _entry(partition: int, position: int, at: Millis, event: bytes) -> Positioned | DeadLetter:
    try:
        return Positioned(position=position, event=parse(event))
    except ValueError:
        return dead_letter((partition, position), "EVT-005", event, at)


class EventLog:
    """The writing end of the table. Used by the writer thread only."""

    def __init__(self, connection: Connection) -> None:
        """Find the last position that was ever given."""
        (row,) = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
        (read_to,) = connection.execute("SELECT max(position) FROM partitions").fetchone()
        self._last = max(int(row), int(read_to))
        self._touched: set[int] = set()

    def take_touched(self) -> set[int]:
        """The partitions that were written to since this was last asked."""
        touched, self._touched = self._touched, set()
        return touched

    def remember(self, connection: Connection, ids: Sequence[KnownId], partition: int) -> None:
        """Write ids that count as consumed, inside the caller's transaction."""
        rows = [
            (self._last + place, partition, one.id, one.at, one.subject)
            for place, one in enumerate(ids, start=1)
        ]
        self._last += len(rows)
        connection.executemany(REMEMBER, rows)

    def insert(self, connection: Connection, rows: Sequence[EventRow]) -> list[bool]:
        """Write events inside the caller's transaction; False for each whose id was known."""
        before = self._last
        self._last += len(rows)
        changes = connection.total_changes
        for first in range(0, len(rows), _TOGETHER):
            some = rows[first : first + _TOGETHER]
            placed = [(place, *row) for place, row in enumerate(some, start=before + 1 + first)]
            connection.execute(INSERTS[len(some)], list(chain.from_iterable(placed)))
        self._touched.update(row[0] for row in rows)
        if connection.total_changes - changes == len(rows):
            return [True] * len(rows)
        new = connection.execute("SELECT position FROM events WHERE position > ?", (before,))
        positions = {position for (position,) in new}
        return [position in positions for position in range(before + 1, self._last + 1)]


def known(connection: Connection, after: int, limit: int) -> tuple[list[KnownId], int | None]:
    """Ids behind a position that were consumed, and where to go on; None at the end.

    The subject is unknown where an older version of this program deleted the payload.
    """
    rows = connection.execute(KNOWN, (after, limit)).fetchall()
    ids = [
        KnownId(subject=subject, id=name, at=at)
        for _, subject, name, at in rows
        if subject is not None and not name.startswith(_UNREAD)
    ]
    return ids, rows[-1][0] if len(rows) == limit else None


def empty_consumed(
    connection: Connection, partition: int, position: int, before: Millis, limit: int
) -> int:
    """Delete the payloads of consumed events that came before a time; how many."""
    changes = connection.total_changes
    connection.execute(EMPTY, (partition, position, limit, before))
    return connection.total_changes - changes


def free_ids(connection: Connection, places: Iterable[tuple[int, int]]) -> None:
    """Forget the ids of records at (partition, position), inside the caller's transaction."""
    connection.executemany(FREE, list(places))


def forget_ids(connection: Connection, before: Millis, limit: int) -> int:
    """Delete the oldest emptied rows that came before a time; how many were deleted."""
    changes = connection.total_changes
    connection.execute(FORGET, (before, limit))
    return connection.total_changes - changes
