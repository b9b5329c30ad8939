"""Durable intake on a Kafka journal against a bare producer of the same records.

Both have one core for themselves; the broker has another, on machines with two cores together with
the load. Each 2xx must have left one record, and each acknowledgement as well.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.block import Block, Measure, VoidFigure
from bench.cluster import Cluster, missing
from bench.loading import CONNECTIONS, Loading
from bench.machine import server_core
from bench.measured_process import Side
from bench.topic import ends
from connector.journal.settings import KafkaSettings
from connector_testkit.simulators.tls import issue_tls

SECONDS = 2.0
TURNS = 4
NICE = 19
"""Of the load: it stands for other machines, and must not keep the broker from its core."""
WARM_UP = 3.0


class Sides:
    """Both sides and the load. ``seconds`` is the length of one side's part of a round."""

    def __init__(self, stack: ExitStack, folder: Path, seconds: float) -> None:
        """Start them, and let each do some work."""
        self._seconds = seconds
        cluster = Cluster(stack, folder)
        tls = issue_tls(folder / "tls")
        self.intake, self.bare = cluster.topics("intake"), cluster.topics("bare")
        self.accepted = self.acknowledged = 0
        pair = (str(tls.certificate), str(tls.key))
        arguments = (self.intake.model_dump_json(), str(folder), *pair)
        service = Side("bench.sides.kafka_intake", *arguments, cores=server_core())
        self._port = stack.enter_context(service).heard()["port"]
        bare = Side("bench.sides.kafka_producer", self.bare.model_dump_json(), cores=server_core())
        self._bare = stack.enter_context(bare)
        self._bare.heard()
        self._load = Loading(stack, tls.ca, NICE)
        self._take(WARM_UP, close=True)
        self._bare.ask(learn=self.intake.model_dump_json())
        self._send(WARM_UP)

    def _take(self, seconds: float, *, close: bool = False) -> float:
        answer = self._load.turn(self._port, seconds, close=close)
        self.accepted += int(answer["good"])
        return answer["per_second"]

    def _send(self, seconds: float) -> float:
        answer = self._bare.ask(seconds=seconds, in_flight=CONNECTIONS)
        self.acknowledged += answer["sent"]
        return float(answer["per_second"])

    def measure(self) -> dict[str, float]:
        """One round: the sides in turns."""
        seconds = self._seconds / TURNS
        turns = [(self._take(seconds), self._send(seconds)) for _ in range(TURNS)]
        taken, sent = zip(*turns, strict=True)
        return {"kafka-intake-vs-producer": sum(taken) / sum(sent)}


@contextmanager
def opened(folder: Path, seconds: float = SECONDS) -> Iterator[Measure]:
    """The block's sides; at the end records are counted against 2xx and acknowledgements."""
    with ExitStack() as stack:
        sides = Sides(stack, folder, seconds)
        yield sides.measure
        for options, good in ((sides.intake, sides.accepted), (sides.bare, sides.acknowledged)):
            if (there := events(options)) != good:
                raise VoidFigure(f"{good} were acknowledged, {there} records are there")


def events(options: KafkaSettings) -> int:
    """How many events lie in the topic; no transaction has left markers there."""
    found = asyncio.run(ends(options))
    return sum(end for place, end in found.items() if place.topic == options.names.events)


BLOCK = Block(
    ("kafka-intake-vs-producer",),
    opened,
    rulers=("python_seconds", "fdatasync_seconds"),
    missing=missing,
)
