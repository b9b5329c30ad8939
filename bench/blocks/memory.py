"""Resident memory of a service with 100,000 subjects waiting, against one with none.

Both have done the same warm-up. Each round is a pair of new processes; the journal is the same.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.pipelines import FAST, Pipeline, pipeline
from bench.machine import server_core
from bench.measured_process import Side

WAITING = 100_000
WORK = 300


@contextmanager
def opened(folder: Path, waiting: int = WAITING, holders: int = WORK) -> Iterator[Measure]:
    """Seed a journal; every round opens it again."""
    with ExitStack() as stack:
        pipeline(stack, folder / "waiting", waiting=waiting)
    yield partial(_measure, folder, holders, iter(range(1, 1_000)))


def _measure(folder: Path, holders: int, rounds: Iterator[int]) -> dict[str, float]:
    number = next(rounds)
    shutil.rmtree(folder / "empty", ignore_errors=True)
    with ExitStack() as stack:
        pipeline(stack, folder / "empty")
    sizes = [_resident(folder / name, number, holders) for name in ("waiting", "empty")]
    return {"memory-backlog": sizes[0] / sizes[1]}


def _resident(folder: Path, number: int, holders: int) -> int:
    with Side("bench.sides.pipeline", str(folder), "FULL", str(FAST), cores=server_core()) as side:
        side.heard()
        made = Pipeline(side, user=number * 10_000)
        made.deliver(holders)
        return made.resident()


BLOCK = Block(("memory-backlog",), opened)
