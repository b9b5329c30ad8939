"""The loop on a Kafka journal against bare transactions of the very records that it wrote.

Both do the same commits, one process each, on four partitions of the same broker. What the loop
does beside is its own work: reading events, advancing states, effects, the local tables.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.block import Block, Measure, VoidFigure
from bench.blocks.pipelines import FAST
from bench.cluster import Cluster, missing
from bench.machine import server_core
from bench.measured_process import Side
from bench.stage import PARTITIONS
from bench.topic import ends, rows

HOLDERS = 400
WARM_UP = 100


class Sides:
    """The loop and the bare producers."""

    def __init__(self, stack: ExitStack, folder: Path, holders: int) -> None:
        """Start them, and let each do some work."""
        cluster = Cluster(stack, folder)
        self._options, bare = cluster.topics("loop"), cluster.topics("bare")
        self._holders = holders
        self._user = 1
        arguments = (self._options.model_dump_json(), str(folder), str(FAST))
        loop = Side("bench.sides.kafka_pipeline", *arguments, cores=server_core())
        self._loop = stack.enter_context(loop)
        self._loop.heard()
        self._loop.ask(owned=PARTITIONS)
        again = Side("bench.sides.kafka_transactions", bare.model_dump_json(), cores=server_core())
        self._bare = stack.enter_context(again)
        self._bare.heard()
        self._round(WARM_UP)

    def measure(self) -> dict[str, float]:
        """One round: a number of holders, then the same commits once more."""
        return {"kafka-pipeline-vs-transactions": self._round(self._holders)}

    def _round(self, holders: int) -> float:
        begin = asyncio.run(ends(self._options))
        first, self._user = self._user, self._user + holders
        loop = self._loop.ask(deliver=[first, self._user])
        end = asyncio.run(ends(self._options))
        bare = self._bare.ask(
            like=self._options.model_dump_json(),
            begin=rows(begin),
            end=rows(end),
            told=loop["told"],
        )
        if bare["records"] < loop["transitions"]:
            raise VoidFigure("not every transition was found in the topics")
        return float(bare["seconds"] / loop["seconds"])


@contextmanager
def opened(folder: Path, holders: int = HOLDERS) -> Iterator[Measure]:
    """The block's sides."""
    with ExitStack() as stack:
        yield Sides(stack, folder, holders).measure


BLOCK = Block(
    ("kafka-pipeline-vs-transactions",),
    opened,
    rulers=("python_seconds", "fdatasync_seconds"),
    missing=missing,
)
