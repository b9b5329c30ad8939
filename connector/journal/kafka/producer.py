"""The producer for appended events, which is replaced after fatal errors."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer

from connector.core.errors import Transient
from connector.journal.kafka import faults
from connector.journal.kafka.clients import Clients, end_producer
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.transactions import Positions, Sent, acknowledged, give_up, send


class Producer:
    """Idempotent, acknowledged by all in-sync replicas, bounded in number and time.

    A record that timed out may become durable later; its id makes a repetition harmless.

    Args:
        monotonic: seconds.
        limit: seconds that an append may take.
        queue: how many records may wait for the brokers at once.
    """

    def __init__(
        self, clients: Clients, monotonic: Callable[[], float], limit: float, queue: int
    ) -> None:
        self._clients = clients
        self._monotonic = monotonic
        self._calls: dict[int, float] = {}
        self._limit = limit
        self._queue = queue
        self._waiting = 0
        self._number = 0
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        # The library lets those who wait for room in a partition race for it, and counts the time
        # of a loser again and again, until it takes an instant for its limit.
        self._adding = asyncio.Lock()
        self._closed = False
        self.failed = False
        """Whether the last append to end was not acknowledged."""

    @property
    def waiting(self) -> int:
        """How many records wait for the brokers."""
        return self._waiting

    def age(self) -> float:
        """For how many seconds the oldest has waited."""
        begun = next(iter(self._calls.values()), None)
        return 0.0 if begun is None else self._monotonic() - begun

    async def start(self) -> None:
        """Connect; raises ``JRN-001``."""
        try:
            async with asyncio.timeout(self._limit):
                await self._started()
        except faults.EXPECTED as error:
            raise faults.unwritable("connecting to the cluster", error) from error

    async def close(self) -> None:
        """Wait for pending records, as long as an append may take, and end; twice is harmless."""
        self._closed = True
        if self._producer is not None and self._waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limit):
                    await self._producer.flush()
        await self._drop(self._producer)

    async def append(self, records: Sequence[Outgoing]) -> Positions:
        """Make records durable, each by itself.

        Returns:
            Of each partition that was written to, the offset behind the last record.

        Raises:
            Transient: ``JRN-001`` when too many wait, or it takes too long, or the cluster cannot:
                each of them may be durable or not.
            Permanent: ``JRN-015`` when a record is larger than the cluster takes.
        """
        if self._waiting + len(records) > self._queue and self._waiting:
            raise Transient(
                "JRN-001", f"appending: {self._waiting} events wait", retry_after=faults.RETRY_AFTER
            )
        self._waiting += len(records)
        call = self._number = self._number + 1
        self._calls[call] = self._monotonic()
        try:
            async with asyncio.timeout(self._limit):
                placed = await self._append_fitting(records)
        except faults.EXPECTED as error:
            self.failed = not isinstance(error, faults.TOO_LARGE)
            raise faults.unwritable("appending", error) from error
        else:
            self.failed = False
            return placed
        finally:
            self._waiting -= len(records)
            del self._calls[call]

    async def _append_fitting(self, records: Sequence[Outgoing]) -> Positions:
        """Append one by one: brokers apply their limit to batches, and a single record may fit.

        Records written before a batch was refused are written twice; their ids make that harmless.
        """
        try:
            return await self._append(records)
        except faults.TOO_LARGE:
            if len(records) == 1:
                raise
        return await self._append(records, singly=True)

    async def _append(self, records: Sequence[Outgoing], *, singly: bool = False) -> Positions:
        producer = self._producer or await self._started()
        sent: Sent = []
        try:
            async with self._adding:
                await send(producer, records, sent, singly=singly)
            return await acknowledged(sent)
        except faults.BROKEN as error:
            # A batch that was refused leaves a gap in the producer's sequence numbers.
            if sent or not isinstance(error, faults.TOO_LARGE):
                await self._drop(producer)
            raise
        finally:
            give_up(sent)

    async def _started(self) -> AIOKafkaProducer:
        """Start the producer; one attempt at a time, for all callers."""
        async with self._starting:
            if self._producer is not None:
                return self._producer
            if self._closed:
                raise Transient("JRN-001", "using journal: it is not open")
            producer = self._clients.producer()
            try:
                await producer.start()
            except BaseException:
                await end_producer(producer)
                raise
            self._producer = producer
            return producer

    async def _drop(self, producer: AIOKafkaProducer | None) -> None:
        """After an error that it does not repeat by itself, its sequence numbers are broken."""
        if producer is not None and self._producer is producer:
            self._producer = None
            await end_producer(producer)
