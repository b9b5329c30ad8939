"""Whether hand-overs keep all cores busy with themselves."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.handovers import HandOvers
from bench.machine import cores

TIMES = 30
PARALLEL = 2
"""Hand-overs at once per core: while one waits for an answer, another works."""


@contextmanager
def opened(folder: Path, times: int = TIMES) -> Iterator[Measure]:
    """The service under full load."""
    with ExitStack() as stack:
        yield partial(_measure, HandOvers(stack, folder), times)


def _measure(hand_overs: HandOvers, times: int) -> dict[str, float]:
    told = hand_overs.run(times, parallel=PARALLEL * len(cores()))
    offered = len(cores()) * told["seconds"] - told["simulators"]
    return {"handover-scaling": told["processor_seconds"] / offered}


BLOCK = Block(("handover-scaling",), opened, rulers=("rsa_load_seconds",))
