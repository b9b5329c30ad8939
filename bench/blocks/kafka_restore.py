"""Filling the local tables from a topic, against a bare consumer that does no more than insert.

Both connect, read 100,000 states from the same broker, and have the rows in an SQLite file at the
end; one process, each time with a new file.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.block import Block, Measure, VoidFigure
from bench.cluster import Cluster, missing
from bench.kafka_seed import waiting
from bench.machine import server_core
from bench.measured_process import Side

STATES = 100_000


@contextmanager
def opened(folder: Path, states: int = STATES) -> Iterator[Measure]:
    """The topic with its states, and the side that reads them either way."""
    with ExitStack() as stack:
        options = Cluster(stack, folder).topics("states")
        (folder / "template").mkdir()
        waiting(options, folder / "template", states)
        arguments = (options.model_dump_json(), str(folder))
        side = Side("bench.sides.kafka_restore", *arguments, cores=server_core())
        stack.enter_context(side).heard()
        yield partial(_measure, side, states)


def _measure(side: Side, states: int) -> dict[str, float]:
    taken = {how: _seconds(side, how, states) for how in ("journal", "bare")}
    return {"kafka-restore-vs-consumer": taken["bare"] / taken["journal"]}


def _seconds(side: Side, how: str, states: int) -> float:
    told = side.ask(**{"as": how, "count": states})
    if told["states"] != states:
        raise VoidFigure(f"{told['states']} of {states} states were restored")
    return float(told["seconds"])


BLOCK = Block(("kafka-restore-vs-consumer",), opened, missing=missing)
