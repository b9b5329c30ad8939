"""The tables of partition records, audit logs and dead letters."""

import base64
import re
from collections.abc import Sequence

from pydantic import ValidationError

from connector.core.audit import LARGEST, AuditRecord, AuditRow, stored_row
from connector.core.errors import Permanent, Transient
from connector.core.journal import DeadLetter, DeadLetterFilter, PartitionRecord
from connector.journal.database import Connection

_KNOWN = "SELECT epoch, position, audit_count FROM partitions WHERE partition = ?"

_HEAD = re.compile(r"[0-9a-f]{64}")

_PUT = """
    UPDATE partitions SET epoch = ?, position = ?, audit_count = ?, record = ?
    WHERE partition = ?"""

# SQLite keeps what a foreign hand wrote, of any type and size; only what this program could
# have written leaves it. The length of a blob is known without reading it.
AUDIT = """
    SELECT sequence, CASE WHEN typeof(record) = 'blob' AND length(record) <= ? THEN record END
    FROM audit WHERE partition = ? AND sequence > ? AND typeof(sequence) = 'integer'
    ORDER BY sequence LIMIT ?"""

STRAYS = "SELECT count(*) FROM audit WHERE partition = ? AND typeof(sequence) <> 'integer'"

OWN = """
    SELECT partition, CASE WHEN typeof(record) = 'blob' AND length(record) <= ? THEN record END,
        CASE typeof(epoch) WHEN 'integer' THEN epoch END,
        CASE typeof(position) WHEN 'integer' THEN position END,
        CASE typeof(audit_count) WHEN 'integer' THEN audit_count END
    FROM partitions ORDER BY partition"""

GIVE_UP = """
    DELETE FROM audit WHERE partition = ?1 AND sequence IN (
        SELECT sequence FROM audit WHERE partition = ?1 AND sequence <= ?2
        ORDER BY sequence LIMIT ?3)"""

# Code and time are read from the letters themselves: they are few, and seldom listed.
DEAD_LETTERS = """
    WITH read AS (SELECT partition, position, CAST(letter AS BLOB) AS stored,
        CASE WHEN json_valid(CAST(letter AS TEXT)) THEN CAST(letter AS TEXT) END AS letter
        FROM dead_letters)
    SELECT partition, position, stored FROM read
    WHERE (:after IS NULL OR (partition, position) > (:after, :after_position))
        AND (:partition IS NULL OR partition = :partition)
        AND (:code IS NULL OR json_extract(letter, '$.code') = :code)
        AND (:since IS NULL OR json_extract(letter, '$.at') >= :since)
        AND (:until IS NULL OR json_extract(letter, '$.at') < :until)
    ORDER BY partition, position LIMIT :limit"""

SETTLE = "DELETE FROM dead_letters WHERE partition = ? AND position = ?"


def take_over(connection: Connection, partition: int) -> PartitionRecord:
    """Raise the owner epoch, inside the caller's transaction.

    Raises:
        Permanent: ``JRN-005`` when there is no such partition, ``JRN-012`` when its record cannot
            be read.
    """
    row = connection.execute(
        "SELECT record FROM partitions WHERE partition = ?", (partition,)
    ).fetchone()
    if row is None:
        raise Permanent("JRN-005", f"taking over partition {partition}: there is none")
    record = _parse(partition, row[0])
    record = record.model_copy(update={"epoch": record.epoch + 1})
    put(connection, record)
    return record


def check(connection: Connection, record: PartitionRecord, audit: Sequence[AuditRecord]) -> None:
    """Whether a round may be written: by the newest owner, onwards, without a gap in the audit.

    Raises:
        Transient: ``JRN-003`` when the epoch is not the newest.
        Permanent: ``JRN-006`` when the round contradicts what is stored.
    """
    known = connection.execute(_KNOWN, (record.partition,)).fetchone()
    if known is None or known[0] != record.epoch:
        raise Transient("JRN-003", f"committing to partition {record.partition}")
    check_behind(known[1], known[2], record, audit)


def check_behind(
    position: int, count: int, record: PartitionRecord, audit: Sequence[AuditRecord]
) -> None:
    """Check that a round continues at a read position and a number of audit records.

    Raises:
        Permanent: ``JRN-006`` when it does not.
    """
    expected = list(range(count + 1, count + len(audit) + 1))
    if [entry.sequence for entry in audit] != expected or record.audit_count != count + len(audit):
        raise Permanent("JRN-006", f"committing: the audit must continue after record {count}")
    if record.position < position:
        raise Permanent("JRN-006", f"committing: the read position is at {position} already")


def put(connection: Connection, record: PartitionRecord) -> None:
    """Write a partition's record, inside the caller's transaction."""
    text = record.model_dump_json().encode()
    connection.execute(
        _PUT, (record.epoch, record.position, record.audit_count, text, record.partition)
    )


def touch(connection: Connection) -> None:
    """Write a row as it is, inside the caller's transaction: it fails where any write would."""
    connection.execute("UPDATE partitions SET position = position WHERE partition = 0")


def records(connection: Connection) -> list[PartitionRecord]:
    """All partitions' records, by number.

    Raises:
        Permanent: ``JRN-012`` when one cannot be read.
    """
    rows = connection.execute("SELECT partition, record FROM partitions ORDER BY partition")
    return [_parse(partition, record) for partition, record in rows]


def own(connection: Connection) -> dict[int, PartitionRecord | None]:
    """All partitions' records by number; None for one that is damaged or contradicts its row."""
    return {row[0]: _checked(*row) for row in connection.execute(OWN, (LARGEST,))}


def _checked(partition: int, stored: bytes | None, *beside: int | None) -> PartitionRecord | None:
    try:
        record = PartitionRecord.model_validate_json(stored or b"")
    except ValidationError:
        return None
    told = record.partition, record.epoch, record.position, record.audit_count
    return record if told == (partition, *beside) and _coherent(record) else None


def _coherent(record: PartitionRecord) -> bool:
    """Whether the ends of the audit log that it names are possible values."""
    ends = (
        (record.audit_count, record.audit_head),
        (record.audit_cut, record.audit_cut_head),
    )
    named = all(bool(count) == (_HEAD.fullmatch(head) is not None) for count, head in ends)
    return named and 0 <= record.audit_cut <= record.audit_count


def _parse(partition: int, stored: bytes) -> PartitionRecord:
    try:
        return PartitionRecord.model_validate_json(stored)
    except ValidationError as error:
        raise Permanent("JRN-012", f"reading the record of partition {partition}") from error


def audit_page(connection: Connection, partition: int, after: int, limit: int) -> list[AuditRow]:
    """The next audit records behind a sequence number, as they are stored."""
    rows = connection.execute(AUDIT, (LARGEST, partition, after, limit))
    return [stored_row(sequence, record) for sequence, record in rows]


def strays(connection: Connection, partition: int) -> int:
    """How many rows of the trail lie at a place that is no number."""
    (found,) = connection.execute(STRAYS, (partition,)).fetchone()
    return int(found)


def give_up(connection: Connection, partition: int, through: int, limit: int) -> int:
    """Delete the first audit records up to a sequence number; how many were deleted."""
    changes = connection.total_changes
    connection.execute(GIVE_UP, (partition, through, limit))
    return connection.total_changes - changes


def settle(connection: Connection, partition: int, positions: Sequence[int]) -> None:
    """Take dead letters out, inside the caller's transaction."""
    connection.executemany(SETTLE, [(partition, position) for position in positions])


def dead_letters(connection: Connection, query: DeadLetterFilter) -> list[DeadLetter]:
    """What could not be read and is not settled, by partition and position."""
    after, position = query.after or (None, None)
    places = {**query.model_dump(), "after": after, "after_position": position}
    rows = connection.execute(DEAD_LETTERS, places)
    return [_letter(*row) for row in rows]


def _letter(partition: int, position: int, stored: bytes) -> DeadLetter:
    """A letter; one that is damaged or of a newer version is its own contents, of no known time."""
    try:
        return DeadLetter.model_validate_json(stored)
    except ValidationError:
        original = base64.b64encode(stored).decode()
        return DeadLetter(
            partition=partition, position=position, code="EVT-005", original=original, at=0
        )
