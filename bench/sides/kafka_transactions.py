"""Bare transactions: what a pipeline wrote, written again, byte for byte, commit by commit.

Argument: options of a prefix (JSON). Order: ``like`` (options of the pipeline's prefix), ``begin``
and ``end`` (ends of its topics: rows of topic, partition, offset), ``told`` (what its commits said
to others: rows of partition, commit, event ids). The partitions are written at the same time, each
with a transactional id of its own.
"""

import asyncio
import sys
import time
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.structs import TopicPartition

from bench.rounds import Told, Transaction, transactions
from bench.topic import ends_from, records
from bench.worker_protocol import Answer, obey, say
from connector.journal.kafka.clients import Clients
from connector.journal.settings import KafkaSettings


class Writer:
    """Writes with producers that are set up like the journal's."""

    def __init__(self, options: KafkaSettings, producers: list[AIOKafkaProducer]) -> None:
        """One producer for each partition."""
        self._options = options
        self._producers = producers

    async def obey(self, order: dict[str, Any]) -> Answer:
        """Read what is wanted, then write it; only writing is timed."""
        source = KafkaSettings.model_validate_json(order["like"])
        begin, end = ends_from(order["begin"]), ends_from(order["end"])
        told: Told = {(number, commit): ids for number, commit, ids in order["told"]}
        found = await records(source, begin, end)
        wanted = transactions(found, source.names, self._options.names, told)
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, producer in enumerate(self._producers):
                group.create_task(self._write(producer, number, wanted.get(number, [])))
        return {
            "seconds": time.perf_counter() - start,
            "transactions": sum(map(len, wanted.values())),
            "records": sum(len(one.records) for many in wanted.values() for one in many),
        }

    async def _write(
        self, producer: AIOKafkaProducer, partition: int, wanted: list[Transaction]
    ) -> None:
        names = self._options.names
        for one in wanted:
            async with producer.transaction():
                for topic, number, key, value, headers in one.records:
                    await producer.send(topic, value, key, number, headers=list(headers))
                if one.position is not None:
                    place = TopicPartition(names.events, partition)
                    offsets = {place: one.position}
                    await producer.send_offsets_to_transaction(offsets, names.group)


async def main(options: KafkaSettings) -> None:
    """Connect, and obey until the pipe is closed."""
    clients = Clients(options)
    producers = [
        clients.producer(options.names.transactional_id(number))
        for number in range(options.partitions)
    ]
    for producer in producers:
        await producer.start()
    say({"ready": True})
    await obey(Writer(options, producers).obey)
    for producer in producers:
        await producer.stop()


if __name__ == "__main__":
    uvloop.run(main(KafkaSettings.model_validate_json(sys.argv[1])))
