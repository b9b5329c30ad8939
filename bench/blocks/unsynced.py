"""What durability costs the pipeline: the same work with ``synchronous=OFF`` as the other side."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.pipelines import HOLDERS, Pipeline, pipeline


@contextmanager
def opened(folder: Path, holders: int = HOLDERS) -> Iterator[Measure]:
    """Two pipelines that differ in nothing but the setting."""
    with ExitStack() as stack:
        durable = pipeline(stack, folder / "full")
        unsynced = pipeline(stack, folder / "off", synchronous="OFF")
        yield partial(_measure, durable, unsynced, holders)


def _measure(durable: Pipeline, unsynced: Pipeline, holders: int) -> dict[str, float]:
    rates = [rate(side.deliver(holders)) for side in (durable, unsynced)]
    return {"pipeline-vs-unsynced": rates[0] / rates[1]}


def rate(told: dict[str, float]) -> float:
    """Transitions per second."""
    return told["transitions"] / told["seconds"]


BLOCK = Block(("pipeline-vs-unsynced",), opened, rulers=("python_seconds", "fdatasync_seconds"))
