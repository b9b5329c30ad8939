"""How the journal's Kafka clients are set up, and how they are ended.

Each setting that is named here differs from aiokafka's default for a measured reason; what a client
is for decides the rest. Credentials are read again for every client that is made.
"""

import asyncio
import contextlib
import logging
from typing import Any
from weakref import WeakSet

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, ProducerClosed

from connector.journal.kafka import faults
from connector.journal.kafka.options import KafkaOptions
from connector.journal.kafka.security import Access
from connector.journal.kafka.topics import LARGEST_RECORD

MEBI = 1024 * 1024

_BACKOFF_MS = 20  # the default of 100 halves the rate of commits
_BATCH = 262_144  # the default of 16384 lets a third through with 512 in flight

_ENDING = 1.0


class Clients:
    """Makes clients of one cluster.

    Args:
        options: where the cluster is, how to log in, how long things may take.
    """

    def __init__(self, options: KafkaOptions) -> None:
        """Nothing is connected yet."""
        self._options = options
        self._access = Access(options)
        self._running: WeakSet[AIOKafkaProducer | AIOKafkaConsumer] = WeakSet()
        hush()

    def renew(self) -> None:
        """Have new connections log in with the secrets as they are now; raises ``CFG-003``."""
        self._access.renew([_network(client) for client in self._running])

    def producer(self, transactional_id: str | None = None) -> AIOKafkaProducer:
        """A producer, idempotent, acknowledged by all in-sync replicas; not started."""
        producer = AIOKafkaProducer(
            **self._access.client_arguments(),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH,
            max_request_size=LARGEST_RECORD,
            retry_backoff_ms=_BACKOFF_MS,
            transactional_id=transactional_id,
            transaction_timeout_ms=self._options.transaction_timeout,
        )
        self._running.add(producer)
        return producer

    def consumer(self, *, committed: bool = True, **settings: Any) -> AIOKafkaConsumer:
        """A consumer without topics, begun at the earliest record; not started.

        ``committed`` False also shows what is not committed: for true end offsets.
        """
        consumer = AIOKafkaConsumer(
            **self._access.client_arguments(),
            isolation_level="read_committed" if committed else "read_uncommitted",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            retry_backoff_ms=_BACKOFF_MS,
            **settings,
        )
        self._running.add(consumer)
        return consumer


async def end_producer(producer: AIOKafkaProducer) -> None:
    """End a producer at once, whatever state it is in.

    ``stop`` waits until all that was sent is acknowledged, which without a broker is for ever; so
    what still waits is failed first. Two errors that nobody will ask for are marked as seen.
    """
    # aiokafka has no public way to give up (0.14); without it, stop() hangs and tasks are left.
    accumulator, transactions = producer._message_accumulator, producer._txn_manager
    accumulator.fail_all(ProducerClosed())
    await _stopped(producer)
    waiter = transactions._transaction_waiter
    if waiter is not None and waiter.done() and not waiter.cancelled():
        waiter.exception()


async def end_consumer(consumer: AIOKafkaConsumer) -> None:
    """End a consumer; one in a group leaves it."""
    await _stopped(consumer)


async def _stopped(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    try:
        async with asyncio.timeout(_ENDING):
            await client.stop()
    except faults.EXPECTED:
        with contextlib.suppress(KafkaError, OSError):
            await _network(client).close()


def _network(client: AIOKafkaProducer | AIOKafkaConsumer) -> AIOKafkaClient:
    """The part that holds the connections; a consumer has no public name for it."""
    return client.client if isinstance(client, AIOKafkaProducer) else client._client


def hush() -> None:
    """Silence what is no news.

    Brokers answer NOT_ENOUGH_REPLICAS to the first record of a transaction while the markers of
    the last one are being written (since 3.6, to clients of the old transaction protocol); the
    producer tries again after its backoff. Real trouble reaches the caller as an error.
    """
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)
