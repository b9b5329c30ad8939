"""How long the event loop of the service is held up while keys are loaded on every core."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.handovers import HandOvers
from bench.calibration import key_load_seconds
from bench.machine import cores

TIMES = 30


@contextmanager
def opened(folder: Path, times: int = TIMES) -> Iterator[Measure]:
    """The service with one hand-over per core at any time."""
    with ExitStack() as stack:
        yield partial(_measure, HandOvers(stack, folder), times)


def _measure(hand_overs: HandOvers, times: int) -> dict[str, float]:
    lag = hand_overs.run(times, parallel=len(cores()))["lag"]
    return {"loop-lag-vs-key-load": lag / key_load_seconds()}


BLOCK = Block(("loop-lag-vs-key-load",), opened, rulers=("rsa_load_seconds",))
