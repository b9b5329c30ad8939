"""What a partition knows of itself, its audit trail and its dead letters."""

from collections.abc import Sequence

from connector.core.audit import AuditRecord
from connector.core.errors import Permanent, Transient
from connector.core.journal import DeadLetter, DeadLetterFilter, PartitionRecord
from connector.journal.database import Connection

_KNOWN = "SELECT epoch, position, audit_count FROM partitions WHERE partition = ?"

_PUT = """
    UPDATE partitions SET epoch = ?, position = ?, audit_count = ?, record = ?
    WHERE partition = ?"""

AUDIT = """
    SELECT record FROM audit WHERE partition = ? AND sequence > ? ORDER BY sequence LIMIT ?"""

GIVE_UP = """
    DELETE FROM audit WHERE partition = ?1 AND sequence IN (
        SELECT sequence FROM audit WHERE partition = ?1 AND sequence <= ?2
        ORDER BY sequence LIMIT ?3)"""

# Code and time are read out of the letters themselves: they are few, and people ask for them.
DEAD_LETTERS = """
    SELECT letter FROM dead_letters
    WHERE (:after IS NULL OR (partition, position) > (:after, :after_position))
        AND (:partition IS NULL OR partition = :partition)
        AND (:code IS NULL OR json_extract(CAST(letter AS TEXT), '$.code') = :code)
        AND (:since IS NULL OR json_extract(CAST(letter AS TEXT), '$.at') >= :since)
        AND (:until IS NULL OR json_extract(CAST(letter AS TEXT), '$.at') < :until)
    ORDER BY partition, position LIMIT :limit"""

SETTLE = "DELETE FROM dead_letters WHERE partition = ? AND position = ?"


def take_over(connection: Connection, partition: int) -> PartitionRecord:
    """Raise the owner epoch, inside the caller's transaction.

    Raises:
        Permanent: ``JRN-005`` when there is no such partition.
    """
    row = connection.execute(
        "SELECT record FROM partitions WHERE partition = ?", (partition,)
    ).fetchone()
    if row is None:
        raise Permanent("JRN-005", f"taking over partition {partition}: there is none")
    record = PartitionRecord.model_validate_json(row[0])
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
    """Whether a round goes on behind a read position and so many audit records.

    Raises:
        Permanent: ``JRN-006`` when it does not.
    """
    expected = list(range(count + 1, count + len(audit) + 1))
    if [entry.sequence for entry in audit] != expected or record.audit_count != count + len(audit):
        raise Permanent("JRN-006", f"committing: the audit must go on behind record {count}")
    if record.position < position:
        raise Permanent("JRN-006", f"committing: the read position is at {position} already")


def put(connection: Connection, record: PartitionRecord) -> None:
    """Write a partition's record, inside the caller's transaction."""
    text = record.model_dump_json().encode()
    connection.execute(
        _PUT, (record.epoch, record.position, record.audit_count, text, record.partition)
    )


def records(connection: Connection) -> list[PartitionRecord]:
    """All partitions' records, by number."""
    rows = connection.execute("SELECT record FROM partitions ORDER BY partition")
    return [PartitionRecord.model_validate_json(record) for (record,) in rows]


def audit_page(connection: Connection, partition: int, after: int, limit: int) -> list[AuditRecord]:
    """The next audit records behind a sequence number."""
    rows = connection.execute(AUDIT, (partition, after, limit))
    return [AuditRecord.model_validate_json(record) for (record,) in rows]


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
    return [DeadLetter.model_validate_json(letter) for (letter,) in rows]
