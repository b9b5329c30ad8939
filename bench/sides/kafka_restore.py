"""How long reading all states takes: as the service does it, and as a bare consumer would.

Arguments: options of the journal (JSON), folder of the files. Order: ``as`` (``journal`` or
``bare``) and ``count`` (how many states there are). Each time begins with an empty file.

The bare consumer has the same fetch sizes, reads what is committed, and inserts with
``executemany`` into the journal's own tables what the service asks of them: the state with its
columns and what it wants. It knows that no subject comes twice, checks nothing, and keeps nothing
else.
"""

import sqlite3
import sys
import time
import uuid
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import uvloop
from aiokafka.structs import ConsumerRecord, TopicPartition

from bench.worker_protocol import Answer, obey, say
from connector.core.errors import Permanent
from connector.journal import connection as connections
from connector.journal import states as tables
from connector.journal import tables as schema
from connector.journal.kafka.clients import MEBI, Clients, end_consumer
from connector.journal.kafka.cloudevents import Incoming
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.records import StateRecord, read
from connector.journal.settings import KafkaSettings
from connector.wiring.gc_tuning import settle_collector

WAIT_MS = 100
PAGE = 4000


class Restores:
    """Restores from one prefix. ``folder`` takes the files."""

    def __init__(self, options: KafkaSettings, folder: Path) -> None:
        self._options = options
        self._file = folder / "tables.sqlite"

    async def obey(self, order: dict[str, Any]) -> Answer:
        """One order; seconds from an empty file to the last state, connecting included."""
        self._file.unlink(missing_ok=True)
        how = self._journal if order["as"] == "journal" else self._bare
        begin = time.perf_counter()
        return {"states": await how(order["count"]), "seconds": time.perf_counter() - begin}

    async def _journal(self, _: int) -> int:
        journal = KafkaJournal(
            self._options,
            local=self._file,
            instance=uuid.uuid4().hex,
            monotonic=time.monotonic,
            on_lost=_lost,
        )
        await journal.open()
        try:
            return sum((await journal.counts()).values())
        finally:
            await journal.close()

    async def _bare(self, count: int) -> int:
        consumer = Clients(self._options).consumer(
            max_partition_fetch_bytes=8 * MEBI, fetch_max_bytes=32 * MEBI
        )
        await consumer.start()
        topic, many = self._options.names.states, self._options.partitions
        consumer.assign([TopicPartition(topic, number) for number in range(many)])
        there = 0
        try:
            with closing(connections.open_writing(self._file, "OFF")) as connection:
                schema.prepare(connection, many)
                while there < count:
                    batches = await consumer.getmany(timeout_ms=WAIT_MS, max_records=PAGE)
                    there += sum(_insert(connection, batch) for batch in batches.values())
        finally:
            await end_consumer(consumer)
        return there


def _insert(connection: sqlite3.Connection, batch: Iterable[ConsumerRecord]) -> int:
    found = [read(_incoming(one), one.partition) for one in batch]
    states = [one for one in found if isinstance(one, StateRecord)]
    connection.execute("BEGIN")
    connection.executemany(tables.PUT, [one.columns for one in states if one.columns])
    connection.executemany(tables.WANT, [want for one in states for want in one.wants])
    connection.execute("COMMIT")
    return len(states)


def _incoming(one: ConsumerRecord) -> Incoming:
    return Incoming(one.offset, one.timestamp, one.key, one.value, one.headers)


async def main(options: KafkaSettings, folder: Path) -> None:
    """Obey until the pipe is closed."""
    settle_collector()
    say({"ready": True})
    await obey(Restores(options, folder).obey)


def _lost(fault: Permanent) -> None:
    raise fault


if __name__ == "__main__":
    uvloop.run(main(KafkaSettings.model_validate_json(sys.argv[1]), Path(sys.argv[2])))
