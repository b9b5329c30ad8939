"""Records from a consumer, across failures of the cluster."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from connector.journal.kafka import faults

log = structlog.get_logger("connector.journal.kafka")

_AGAIN = 0.2


async def batches(
    consumer: AIOKafkaConsumer, *, wait_ms: int, most: int
) -> AsyncIterator[Mapping[TopicPartition, Sequence[ConsumerRecord]]]:
    """Yield what the consumer reads, without an end; failures of the cluster are waited out.

    Args:
        consumer: connected, with partitions.
        wait_ms: milliseconds after which it is asked again.
        most: records at once.
    """
    while True:
        try:
            found = await consumer.getmany(timeout_ms=wait_ms, max_records=most)
        except faults.EXPECTED as error:
            log.warning("journal.reading_failed", error=type(error).__name__)
            await asyncio.sleep(_AGAIN)
            continue
        if found:
            yield found
