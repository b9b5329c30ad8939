"""Kafka topics with a hundred thousand states in them: copies of states that real work has made."""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.seed import FAR, FIRST, SPREAD, copied, templates
from connector.core.events import event_id
from connector.journal.kafka.clients import Clients, end_producer
from connector.journal.kafka.records import Head, StateRecord, seen_header, state_outgoing
from connector.journal.kafka.transactions import Sent, acknowledged, send
from connector.journal.settings import KafkaSettings

AT_ONCE = 1000
FIRST_VERSION = 1


def waiting(options: KafkaSettings, folder: Path, count: int) -> None:
    """Put holders into the states whose next look is due in two months.

    Args:
        options: of a prefix with topics.
        folder: is there; a pipeline of its own makes the state to copy in it.
        count: how many.
    """
    installing = asyncio.run(templates(folder)).installing
    now = time.time_ns() // 1_000_000
    due = (now + FAR + number * SPREAD // count for number in range(count))
    rows = (
        copied(installing, FIRST + number, at, options.partitions) for number, at in enumerate(due)
    )
    records = (
        StateRecord(_head(columns.key, columns.partition, now), 0, columns, wants)
        for columns, wants in rows
    )
    asyncio.run(_write(options, records))


def _head(key: str, partition: int, now: int) -> Head:
    """Each has consumed one event lately."""
    seen = seen_header({event_id(key): now})
    return Head(key, partition, 0, FIRST_VERSION, seen, now, bare=False)


async def _write(options: KafkaSettings, records: Iterator[StateRecord]) -> None:
    producer = Clients(options).producer()
    await producer.start()
    try:
        while chunk := list(islice(records, AT_ONCE)):
            sent: Sent = []
            await send(producer, [state_outgoing(one, options.names.states) for one in chunk], sent)
            await acknowledged(sent)
    finally:
        await end_producer(producer)
