"""Whether hand-overs keep all cores busy with themselves.

A round in which other programs used more than a twentieth of the machine is void.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.handovers import HandOvers, at_once
from bench.machine import cores

TIMES = 30
OTHERS = 0.05


@contextmanager
def opened(folder: Path, times: int = TIMES) -> Iterator[Measure]:
    """The service under full load."""
    with ExitStack() as stack:
        yield partial(_measure, HandOvers(stack, folder), times)


def _measure(hand_overs: HandOvers, times: int) -> dict[str, float] | None:
    told = hand_overs.run(times, parallel=at_once())
    offered = len(cores()) * told["seconds"] - told["simulators"]
    if told["others"] > OTHERS * offered:
        return None
    return {"handover-scaling": told["processor_seconds"] / offered}


BLOCK = Block(("handover-scaling",), opened, rulers=("rsa_load_seconds",))
