"""How much of a hand-over's processor time is the work that cannot be avoided."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure
from bench.blocks.handovers import HandOvers
from bench.machine import server_core
from bench.measured_process import Side

TIMES = 10


@contextmanager
def opened(folder: Path, times: int = TIMES) -> Iterator[Measure]:
    """Hand-overs, and the same cryptography alone."""
    with ExitStack() as stack:
        hand_overs = HandOvers(stack, folder)
        bare = stack.enter_context(Side("bench.sides.crypto", cores=server_core()))
        bare.heard()
        yield partial(_measure, hand_overs, bare, times)


def _measure(hand_overs: HandOvers, bare: Side, times: int) -> dict[str, float]:
    alone = bare.ask(times=times)["processor_seconds"]
    whole = hand_overs.run(times, parallel=1)["processor_seconds"]
    return {"handover-vs-crypto": alone / whole}


BLOCK = Block(("handover-vs-crypto",), opened, rulers=("rsa_load_seconds",))
