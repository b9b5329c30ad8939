"""A bare producer: as many records as are wanted under way, each acknowledged by itself.

Argument: options of a prefix (JSON). Orders: ``learn`` (options of the prefix whose events are sent
again, byte for byte, in a circle), then ``seconds`` and ``in_flight``.
"""

import asyncio
import sys
import time
from itertools import cycle
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer

from bench.topic import again, ends, records
from bench.worker_protocol import Answer, obey, say
from connector.journal.kafka.clients import Clients
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.settings import KafkaSettings

LEARNT = 5000


class Sender:
    """Sends what it has learnt. The producer is set up like the journal's."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._learnt: list[Outgoing] = []

    async def obey(self, order: dict[str, Any]) -> Answer:
        """One order."""
        if "learn" in order:
            return await self._learn(KafkaSettings.model_validate_json(order["learn"]))
        return await self._send(order["seconds"], order["in_flight"])

    async def _learn(self, source: KafkaSettings) -> Answer:
        there = await ends(source)
        events = {place: end for place, end in there.items() if place.topic == source.names.events}
        found = await records(source, {}, events)
        # They come a partition at a time, but were written to all at once, which a broker that
        # syncs each partition by itself has to be given, too.
        found.sort(key=lambda one: one.timestamp)
        self._learnt = [again(one, self._topic) for one in found[:LEARNT]]
        return {"learnt": len(self._learnt)}

    async def _send(self, seconds: float, in_flight: int) -> Answer:
        source = cycle(self._learnt)
        begin = time.perf_counter()
        until = begin + seconds
        counts: list[int] = await asyncio.gather(
            *(self._one_by_one(source, until) for _ in range(in_flight))
        )
        taken = time.perf_counter() - begin
        return {"per_second": sum(counts) / taken, "sent": sum(counts), "seconds": taken}

    async def _one_by_one(self, source: "cycle[Outgoing]", until: float) -> int:
        sent = 0
        while time.perf_counter() < until:
            topic, partition, key, value, headers = next(source)
            await self._producer.send_and_wait(topic, value, key, partition, headers=list(headers))
            sent += 1
        return sent


async def main(options: KafkaSettings) -> None:
    """Connect, and obey until the pipe is closed."""
    producer = Clients(options).producer()
    await producer.start()
    say({"ready": True})
    await obey(Sender(producer, options.names.events).obey)
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(main(KafkaSettings.model_validate_json(sys.argv[1])))
