"""Reads a partition of the audit topic from its beginning to where it ends now."""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from connector.core.audit import AuditRow, stored_row
from connector.core.errors import Transient
from connector.journal.kafka import faults
from connector.journal.kafka.clients import MEBI, Clients, end_consumer
from connector.journal.kafka.end_offsets import EndOffsets

_LISTEN_MS = 50
_PAGE = 500
_EMPTY_PAGES = 200


async def rows(
    clients: Clients, ends: EndOffsets, place: TopicPartition
) -> AsyncIterator[AuditRow]:
    """All audit records of a partition, of all its owners, as they lie in the topic.

    A topic gives no sequence numbers: a record has the place that it names, and one that cannot be
    read the place behind the last one.

    Raises:
        Transient: ``JRN-001`` when the cluster cannot be read, or a transaction that hangs hides
            the end.
    """
    consumer = clients.consumer(fetch_max_wait_ms=_LISTEN_MS, max_partition_fetch_bytes=MEBI)
    try:
        await consumer.start()
        consumer.assign([place])
        consumer.seek(place, 0)
        end = (await ends.of([place]))[place]
        sequence = 0
        async for value in _values(consumer, place, end):
            row = row_behind(sequence, value)
            sequence = row.sequence
            yield row
    except faults.EXPECTED as error:
        raise faults.unwritable("reading the audit trail", error) from error
    finally:
        await end_consumer(consumer)


def row_behind(sequence: int, value: bytes) -> AuditRow:
    """The row of a record that lies in the topic behind the one with this sequence number."""
    row = stored_row(sequence + 1, value)
    return row if row.record is None else AuditRow(row.record.sequence, row.record)


async def _values(
    consumer: AIOKafkaConsumer, place: TopicPartition, end: int
) -> AsyncIterator[bytes]:
    empty = 0
    while await consumer.position(place) < end:
        found = await consumer.getmany(place, timeout_ms=_LISTEN_MS, max_records=_PAGE)
        records = found.get(place, ())
        empty = 0 if records else empty + 1
        if empty > _EMPTY_PAGES:
            raise Transient("JRN-001", "reading the audit trail: a transaction hides its end")
        for record in records:
            if record.offset < end:
                yield record.value or b""
