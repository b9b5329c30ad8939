"""How the journal's Kafka clients are set up, and how they are ended.

Each setting that is named here differs from aiokafka's default for a measured reason; what a client
is for decides the rest. Credentials are read again for every client that is made.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any
from weakref import WeakSet

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ProducerClosed
from aiokafka.structs import TopicPartition

from connector.core.values import millis
from connector.journal.kafka import faults
from connector.journal.kafka.noise import calm
from connector.journal.kafka.security import Access
from connector.journal.kafka.topics import LARGEST_RECORD
from connector.journal.settings import KafkaSettings

MEBI = 1024 * 1024

_BACKOFF_MS = 20  # the default of 100 halves the rate of commits
_BATCH = 262_144  # the default of 16384 lets a third through with 512 in flight

_ENDING = 1.0


class Clients:
    """Makes clients of one cluster.

    Args:
        options: where the cluster is, how to log in, how long things may take.
    """

    def __init__(self, options: KafkaSettings) -> None:
        self._options = options
        self._access = Access(options)
        self._running: WeakSet[AIOKafkaProducer | AIOKafkaConsumer] = WeakSet()
        calm()

    def renew(self) -> None:
        """Have new connections log in with the secrets as they are now; raises ``CFG-003``."""
        self._access.renew([_network(client) for client in self._running])

    def producer(self, transactional_id: str | None = None) -> AIOKafkaProducer:
        """A producer, idempotent, acknowledged by all in-sync replicas; not started."""
        producer = AIOKafkaProducer(
            **self._access.client_arguments(),
            request_timeout_ms=millis(self._options.request_timeout),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH,
            max_request_size=LARGEST_RECORD,
            retry_backoff_ms=_BACKOFF_MS,
            transactional_id=transactional_id,
            transaction_timeout_ms=millis(self._options.transaction_timeout),
        )
        self._running.add(producer)
        return producer

    def consumer(self, *, committed: bool = True, **settings: Any) -> AIOKafkaConsumer:
        """A consumer without topics, begun at the earliest record; not started.

        ``committed`` False also shows what is not committed: for true end offsets.
        """
        consumer = AIOKafkaConsumer(
            **self._access.client_arguments(),
            request_timeout_ms=millis(self._options.request_timeout),
            isolation_level="read_committed" if committed else "read_uncommitted",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **settings,
        )
        self._running.add(consumer)
        return consumer


async def end_producer(producer: AIOKafkaProducer) -> None:
    """End a producer at once, in any state; callers that wait for it get an error."""
    await _to_the_end(_end_producer(producer))


async def assign(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
    """Connect a consumer and give it these partitions; it is ended when that fails.

    Raises:
        Transient: ``JRN-001`` when the cluster does not answer.
    """
    try:
        await consumer.start()
        consumer.assign(places)
    except faults.EXPECTED as error:
        await end_consumer(consumer)
        raise faults.unwritable("connecting to the cluster", error) from error


async def end_consumer(consumer: AIOKafkaConsumer) -> None:
    """End a consumer; one in a group leaves it."""
    await _to_the_end(_end_consumer(consumer))


async def _to_the_end(ending: Coroutine[Any, Any, None]) -> None:
    """Wait for the end even if cancelled meanwhile: it takes a few seconds at most."""
    task = asyncio.get_running_loop().create_task(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _end_producer(producer: AIOKafkaProducer) -> None:
    """End it in steps.

    ``stop`` waits until all that was sent is acknowledged, which without a broker is for ever. So
    its sender is ended first, and what still waits is failed.
    """
    # aiokafka has no public way to give up (0.14); without it, stop() hangs and tasks are left.
    await _quietly(_network(producer).close())
    sender = producer._sender.sender_task  # noqa: SLF001
    for _ in range(2):  # the first ends the sender, the second also what the sender waits for
        if sender is not None and not sender.done():
            sender.cancel()
            await asyncio.wait([sender], timeout=_ENDING)
    _fail_what_waits(producer)
    await _quietly(producer.stop())


def _fail_what_waits(producer: AIOKafkaProducer) -> None:
    """Fail the callers' futures; mark those that are not awaited as retrieved."""
    accumulator = producer._message_accumulator  # noqa: SLF001
    waiting = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001
    accumulator.fail_all(ProducerClosed())
    unasked = [batch._drain_waiter for batch in waiting]  # noqa: SLF001
    unasked += [batch.future for batch in waiting]
    unasked.append(producer._txn_manager._transaction_waiter)  # noqa: SLF001
    for future in unasked:
        if future is not None and future.done() and not future.cancelled():
            future.exception()


async def _end_consumer(consumer: AIOKafkaConsumer) -> None:
    await _quietly(consumer.stop())
    await _quietly(_network(consumer).close())


async def _quietly(ending: Coroutine[Any, Any, object]) -> None:
    """Ignore errors: the client is not used any more.

    In a task of its own, because aiokafka lets out the cancellation of its own tasks.
    """
    task = asyncio.get_running_loop().create_task(ending)
    await asyncio.wait([task], timeout=_ENDING)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_ENDING)
    if task.done() and not task.cancelled():
        task.exception()


def _network(client: AIOKafkaProducer | AIOKafkaConsumer) -> AIOKafkaClient:
    """The part that holds the connections; a consumer has no public name for it."""
    if isinstance(client, AIOKafkaProducer):
        return client.client
    return client._client  # noqa: SLF001
