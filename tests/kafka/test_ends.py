"""Clients are ended, also when ending another one fails."""

import asyncio
import gc

import pytest

from connector.journal.kafka.clients import Clients, end_producer
from connector.journal.settings import KafkaSettings


async def test_an_ending_that_is_cancelled_ends_all_the_same(topics: KafkaSettings) -> None:
    """Nothing is left running behind a partition that was dropped while it ended a producer."""
    producer = Clients(topics).producer()
    await producer.start()
    ending = asyncio.get_running_loop().create_task(end_producer(producer))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    del producer, ending
    gc.collect()  # one that is still open complains, which fails the test
