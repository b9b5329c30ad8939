"""How long the partitions of a process that was killed are not served.

Two processes share four partitions. One is killed; devices enrol at the other in each partition
that was not its own. The time ends with the first effect in the last of them, so it is the time of
the partition that waited longest. Each round is a pair of new processes with topics of their own.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from os import kill
from pathlib import Path

from bench.block import Block, Measure
from bench.cluster import SESSION, Cluster, missing
from bench.machine import server_core
from bench.measured_process import Side
from bench.stage import PARTITIONS
from connector.journal.settings import KafkaSettings

REAL = 1.0
"""Speed of the clock inside: sessions are timed by the broker's."""

LOOK = 0.2
"""Seconds between two looks at who has what."""


@contextmanager
def opened(folder: Path) -> Iterator[Measure]:
    """A broker; every round starts two processes."""
    with ExitStack() as stack:
        cluster = Cluster(stack, folder)
        numbers = count(1)

        def measure() -> dict[str, float]:
            seconds = _seconds(cluster.topics(f"round-{next(numbers)}"), folder)
            return {"kafka-takeover-vs-session": seconds / SESSION.total_seconds()}

        yield measure


def _seconds(options: KafkaSettings, folder: Path) -> float:
    with _process(options, folder) as dying, _process(options, folder) as living:
        for side in (dying, living):
            side.heard()
        gone = _shared(dying, living)
        kill(dying.pid, signal.SIGKILL)
        begin = time.monotonic()
        return float(living.ask(effects=gone)["at"] - begin)


def _shared(dying: Side, living: Side) -> list[int]:
    """Wait until each has half of the partitions for good; those of the first.

    One that was alone passes half on its way to all of them: then the halves overlap.
    """
    while True:
        mine = dying.ask(owned=PARTITIONS // 2)["owned"]
        others = living.ask(owned=PARTITIONS // 2)["owned"]
        if not {*mine} & {*others} and mine == dying.ask(owned=PARTITIONS // 2)["owned"]:
            return list(mine)
        time.sleep(LOOK)


def _process(options: KafkaSettings, folder: Path) -> Side:
    arguments = (options.model_dump_json(), str(folder), str(REAL))
    return Side("bench.sides.kafka_pipeline", *arguments, cores=server_core())


BLOCK = Block(("kafka-takeover-vs-session",), opened, missing=missing)
