"""Healthy holders while as many again are in back-off, against healthy holders alone.

The clock inside runs 100 times as fast as outside, and the waits between failed looks are those of
the default policy, so there are a hundred times as many repeated looks as in service.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.pipelines import HOLDERS, Pipeline, pipeline

SPEED = 100.0


@contextmanager
def opened(folder: Path, holders: int = HOLDERS) -> Iterator[Measure]:
    """Two pipelines, one with holders that fail for good."""
    with ExitStack() as stack:
        stormy = pipeline(stack, folder / "stormy", speed=SPEED)
        calm = pipeline(stack, folder / "calm", speed=SPEED)
        stormy.fail(holders)
        yield partial(_measure, stormy, calm, holders)


def _measure(stormy: Pipeline, calm: Pipeline, holders: int) -> dict[str, float]:
    seconds = [side.deliver(holders)["seconds"] for side in (stormy, calm)]
    return {"retry-storm": seconds[1] / seconds[0]}


BLOCK = Block(("retry-storm",), opened, rulers=("python_seconds", "fdatasync_seconds"))
