"""Resident memory of a process with 100,000 subjects waiting in Kafka, against one with none.

Both own all partitions and have done the same warm-up; the one with the backlog has restored its
local tables before. Each round is a pair of new processes.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.pipelines import FAST, Pipeline
from bench.cluster import Cluster, missing
from bench.kafka_seed import waiting
from bench.machine import server_core
from bench.measured_process import Side
from bench.stage import PARTITIONS
from connector.journal.settings import KafkaSettings

WAITING = 100_000
WORK = 300


@contextmanager
def opened(folder: Path, backlog: int = WAITING, holders: int = WORK) -> Iterator[Measure]:
    """A broker and a prefix with the backlog; every round makes another one without."""
    with ExitStack() as stack:
        cluster = Cluster(stack, folder)
        full = cluster.topics("waiting")
        (folder / "template").mkdir()
        waiting(full, folder / "template", backlog)
        numbers = count(1)

        def measure() -> dict[str, float]:
            number = next(numbers)
            empty = cluster.topics(f"empty-{number}")
            sizes = [_resident(folder, one, number, holders) for one in (full, empty)]
            return {"kafka-memory-backlog": sizes[0] / sizes[1]}

        yield measure


def _resident(folder: Path, options: KafkaSettings, number: int, holders: int) -> int:
    arguments = (options.model_dump_json(), str(folder), str(FAST))
    with Side("bench.sides.kafka_pipeline", *arguments, cores=server_core()) as side:
        side.heard()
        side.ask(owned=PARTITIONS)
        made = Pipeline(side, user=number * 10_000)
        made.deliver(holders)
        return made.resident()


BLOCK = Block(("kafka-memory-backlog",), opened, missing=missing)
