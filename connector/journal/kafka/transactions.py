"""Transactions of one transactional id, whose outcome is known or reported as unknown."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata, TopicPartition

from connector.journal.kafka import faults
from connector.journal.kafka.clients import Clients, end_producer
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.topics import LARGEST_RECORD

Offsets = Mapping[TopicPartition, int]
Positions = dict[TopicPartition, int]
Sent = list[tuple[int, "asyncio.Future[RecordMetadata]"]]
"""Batches under way: how many records each has, and what ends when it is acknowledged."""


class NotWritten(Exception):
    """The transaction is not committed and never will be; ``__cause__`` says why."""


class Refused(Exception):
    """A record is larger than the cluster takes; the transaction never will be committed.

    ``index``: which of the records, and ``size`` its bytes; None where several were in the batch
    that was refused.
    """

    def __init__(self, index: int | None = None, size: int = 0) -> None:
        super().__init__()
        self.index, self.size = index, size


class InDoubt(Exception):
    """Whether it was committed is not known: the answer to the last request is missing."""


class Fenced(Exception):
    """A newer producer has taken the transactional id; what was not committed never will be."""


class Transactions:
    """One transaction after another, by a producer that is replaced after any failure.

    Args:
        transactional_id: starting with it fences earlier producers that used it.
        limit: seconds for beginning, for writing, and for committing, each.
    """

    def __init__(self, clients: Clients, transactional_id: str, limit: float) -> None:
        self._clients = clients
        self._id = transactional_id
        self._limit = limit
        self._producer: AIOKafkaProducer | None = None

    @property
    def started(self) -> bool:
        """Whether there is a producer that is not known to have failed."""
        return self._producer is not None

    async def start(self) -> None:
        """Take the transactional id; what a predecessor left open is aborted by then.

        Raises:
            NotWritten: the cluster cannot be reached or does not answer in time.
        """
        await self.close()
        producer = self._clients.producer(self._id)
        try:
            async with asyncio.timeout(self._limit):
                await producer.start()
        except faults.EXPECTED as error:
            await end_producer(producer)
            raise NotWritten from error
        except BaseException:
            await end_producer(producer)
            raise
        self._producer = producer

    async def run(
        self,
        records: Sequence[Outgoing],
        offsets: Offsets | None = None,
        group: str = "",
        *,
        singly: bool = False,
    ) -> Positions:
        """Write all records, and the offsets of a group, or nothing.

        ``singly``: each record in a batch of its own, so that a refusal names it. Brokers hold
        their limit against batches.

        Returns:
            Of each partition that was written to, the offset behind the last record.

        Raises:
            NotWritten, InDoubt, Fenced: the producer is gone; :meth:`start` makes another one.
            Refused: the same, because a record is too large.
        """
        producer = self._producer
        if producer is None:
            raise NotWritten
        for index, record in enumerate(records):
            if (size := _size(record)) > LARGEST_RECORD:
                raise Refused(index, size)
        try:
            positions = await self._write(producer, records, offsets or {}, group, singly)
            await self._commit(producer)
        except BaseException:
            await self.close()
            raise
        return positions

    async def close(self) -> None:
        """End the producer; twice is harmless."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await end_producer(producer)

    async def _write(
        self,
        producer: AIOKafkaProducer,
        records: Sequence[Outgoing],
        offsets: Offsets,
        group: str,
        singly: bool,  # noqa: FBT001 - as in run()
    ) -> Positions:
        """All steps before the commit: after a failure here nothing was committed."""
        sent: Sent = []
        try:
            async with asyncio.timeout(self._limit):
                await producer.begin_transaction()
                await send(producer, records, sent, singly=singly)
                if offsets:
                    await producer.send_offsets_to_transaction(dict(offsets), group)
                return await acknowledged(sent)
        except faults.EXPECTED as error:
            if (batch := _refused(sent)) is not None:
                raise (Refused(batch, _size(records[batch])) if singly else Refused()) from error
            raise (Fenced if faults.fenced(error) else NotWritten) from error
        finally:
            give_up(sent)

    async def _commit(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(self._limit):
                await producer.commit_transaction()
        except faults.EXPECTED as error:
            raise (Fenced if faults.fenced(error) else InDoubt) from error


def _refused(sent: Sent) -> int | None:
    """Which batch the cluster has found too large; what fails besides only follows from it."""
    for index, (_, one) in enumerate(sent):
        if one.done() and not one.cancelled() and isinstance(one.exception(), faults.TOO_LARGE):
            return index
    return None


def batches(
    producer: AIOKafkaProducer, records: Sequence[Outgoing], *, singly: bool = False
) -> list[tuple[TopicPartition, BatchBuilder]]:
    """Records packed by partition, in their order; a third of the cost of sending each by itself.

    ``singly``: each by itself all the same.

    Raises:
        MessageSizeTooLargeError: a record is larger than the cluster takes.
    """
    filled: list[tuple[TopicPartition, BatchBuilder]] = []
    open_: dict[TopicPartition, BatchBuilder] = {}
    for record in records:
        if _size(record) > LARGEST_RECORD:
            raise MessageSizeTooLargeError
        place = TopicPartition(record.topic, record.partition)
        for _ in range(2):  # one that is full takes nothing; the next takes at least one
            batch = None if singly else open_.get(place)
            if batch is None:
                batch = open_[place] = producer.create_batch()
                filled.append((place, batch))
            if _added(batch, record):
                break
            open_.pop(place, None)
    return filled


def _size(record: Outgoing) -> int:
    """What counts is all of a record: key, value and headers."""
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key) + len(record.value or b"") + headers


def _added(batch: BatchBuilder, record: Outgoing) -> bool:
    taken = batch.append(
        timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
    )
    return taken is not None


async def send(
    producer: AIOKafkaProducer, records: Sequence[Outgoing], sent: Sent, *, singly: bool = False
) -> None:
    """Hand records to a producer; what is under way is added to ``sent``, also on failure."""
    for place, batch in batches(producer, records, singly=singly):
        future: asyncio.Future[Any] = await producer.send_batch(
            batch, place.topic, partition=place.partition
        )
        sent.append((batch.record_count(), future))


async def acknowledged(sent: Sent) -> Positions:
    """The offset behind the last record of each partition, once all is acknowledged."""
    positions: Positions = {}
    for count, future in sent:
        one = await future
        known = positions.get(one.topic_partition, 0)
        positions[one.topic_partition] = max(known, one.offset + count)
    return positions


def give_up(sent: Sent) -> None:
    """Stop waiting for records whose outcome is not needed any more."""
    for _, one in sent:
        if not one.cancel() and not one.cancelled():
            one.exception()
