"""Delete what is older than its retention, a few rows at a time.

Each batch is a transaction of its own among those of others, so that nothing waits long for it.
"""

from collections.abc import Callable

from connector.core.journal import PartitionRecord
from connector.core.model import Millis
from connector.journal import events, partitions
from connector.journal.database import Connection
from connector.journal.writer import Writer

_BATCH = 500


async def empty_consumed(writer: Writer, record: PartitionRecord, before: Millis) -> None:
    """Delete the payloads of a partition's consumed events that came before a time."""
    partition, position = record.partition, record.position

    def batch(connection: Connection) -> int:
        return events.empty_consumed(connection, partition, position, before, _BATCH)

    await _repeat(writer, batch)


async def give_up_audit(writer: Writer, record: PartitionRecord) -> None:
    """Delete the part of a partition's audit log that was exported and cut."""
    partition, through = record.partition, record.audit_cut

    def batch(connection: Connection) -> int:
        return partitions.give_up(connection, partition, through, _BATCH)

    await _repeat(writer, batch)


async def forget_ids(writer: Writer, before: Millis) -> None:
    """Forget the ids of emptied events that came before a time."""

    def batch(connection: Connection) -> int:
        return events.forget_ids(connection, before, _BATCH)

    await _repeat(writer, batch)


async def _repeat(writer: Writer, batch: Callable[[Connection], int]) -> None:
    while await writer.run(lambda connection, _: batch(connection)) == _BATCH:
        continue
