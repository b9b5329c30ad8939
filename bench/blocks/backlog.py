"""Whether 200,000 subjects that wait slow down those that do not."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.pipelines import HOLDERS, Pipeline, pipeline
from bench.blocks.unsynced import rate

WAITING = 200_000


@contextmanager
def opened(folder: Path, waiting: int = WAITING, holders: int = HOLDERS) -> Iterator[Measure]:
    """Two pipelines, one with an empty journal."""
    with ExitStack() as stack:
        full = pipeline(stack, folder / "waiting", waiting=waiting)
        empty = pipeline(stack, folder / "empty")
        yield partial(_measure, full, empty, holders)


def _measure(full: Pipeline, empty: Pipeline, holders: int) -> dict[str, float]:
    rates = [rate(side.deliver(holders)) for side in (full, empty)]
    return {"pipeline-backlog": rates[0] / rates[1]}


BLOCK = Block(("pipeline-backlog",), opened, rulers=("python_seconds", "fdatasync_seconds"))
