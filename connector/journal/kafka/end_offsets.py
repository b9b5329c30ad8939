"""The present end offsets of partitions."""

import asyncio
from collections.abc import Awaitable, Iterable

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from connector.core.errors import Transient
from connector.journal.kafka import faults
from connector.journal.kafka.clients import Clients, end_consumer

PAUSE = 0.004
"""Seconds between two looks at how far a consumer has come."""


class EndOffsets:
    """Asks for end offsets, those of open transactions included.

    The end of the committed records stops before a hanging transaction, and a reader that stops
    there would miss all that was committed behind it. With ``committed`` exactly that offset is
    returned: how far a reader of committed records can get now.
    """

    def __init__(self, clients: Clients, limit: float, *, committed: bool = False) -> None:
        """``limit``: seconds that a question may take."""
        self._clients = clients
        self._limit = limit
        self._committed = committed
        self._consumer: AIOKafkaConsumer | None = None
        self.failed = False
        """Whether the last question was not answered."""

    async def start(self) -> None:
        """Connect; raises ``JRN-001``."""
        consumer = self._clients.consumer(committed=self._committed)
        try:
            async with asyncio.timeout(self._limit):
                await consumer.start()
        except faults.EXPECTED as error:
            await end_consumer(consumer)
            raise faults.unwritable("connecting to the cluster", error) from error
        except BaseException:
            await end_consumer(consumer)
            raise
        self._consumer = consumer

    async def close(self) -> None:
        """Disconnect; twice is harmless."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)

    async def of(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last record of each; raises ``JRN-001``."""
        return await self._answer(self._opened().end_offsets(list(places)))

    async def first(self, place: TopicPartition) -> int:
        """The offset of the first record that is still kept; raises ``JRN-001``."""
        return (await self._answer(self._opened().beginning_offsets([place])))[place]

    def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise Transient("JRN-001", "using journal: it is not open")
        return self._consumer

    async def _answer(
        self, question: Awaitable[dict[TopicPartition, int]]
    ) -> dict[TopicPartition, int]:
        try:
            async with asyncio.timeout(self._limit):
                answer = await question
        except faults.EXPECTED as error:
            self.failed = True
            raise faults.unwritable("asking for offsets", error) from error
        self.failed = False
        return answer


async def reached(
    consumer: AIOKafkaConsumer, targets: dict[TopicPartition, int], limit: float
) -> bool:
    """Wait until a consumer has come so far; False when it did not within ``limit`` seconds.

    Markers of transactions move its position without a record, so it has to be looked at.
    """
    try:
        async with asyncio.timeout(limit):
            for place, target in targets.items():
                while await consumer.position(place) < target:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(PAUSE)
    except faults.EXPECTED:
        return False
    return True
