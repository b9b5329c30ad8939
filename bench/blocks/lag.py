"""How long the event loop of the service is held up while keys are loaded on every core."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.handovers import HandOvers, at_once
from bench.calibration import key_load_seconds

TIMES = 30


@contextmanager
def opened(folder: Path, times: int = TIMES) -> Iterator[Measure]:
    """The service with as many hand-overs at once as it has by default."""
    with ExitStack() as stack:
        yield partial(_measure, HandOvers(stack, folder), times)


def _measure(hand_overs: HandOvers, times: int) -> dict[str, float]:
    lag = hand_overs.run(times, parallel=at_once(), watched=True)["lag"]
    return {"loop-lag-vs-key-load": lag / key_load_seconds()}


BLOCK = Block(("loop-lag-vs-key-load",), opened, rulers=("rsa_load_seconds",))
