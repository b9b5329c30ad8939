"""Simulators and a service that hands over between them, for the blocks that measure this."""

import json
from contextlib import ExitStack
from pathlib import Path

from bench.machine import busy_seconds, cores, processor_seconds
from bench.measured_process import Side

NICE = 15
"""The simulators stand for other machines: they give way to what is measured."""


def at_once() -> int:
    """How many hand-overs the service has at once by default: one more than cores."""
    return len(cores()) + 1


class HandOvers:
    """Two processes on all cores: the simulators, and the service."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        """Start both, and hand over once per core for warming up."""
        (folder / "upstreams").mkdir()
        self._upstreams = stack.enter_context(
            Side("bench.sides.upstreams", str(folder / "upstreams"), cores=cores(), nice=NICE)
        )
        job = folder / "job.json"
        job.write_text(json.dumps(self._upstreams.heard()["job"]), encoding="utf-8")
        self._service = stack.enter_context(Side("bench.sides.handover", str(job), cores=cores()))
        self._service.heard()
        self.run(len(cores()), parallel=len(cores()))

    def run(self, count: int, *, parallel: int, watched: bool = False) -> dict[str, float]:
        """A number of hand-overs.

        Returns:
            What the service says, and the processor seconds that the simulators used, and the
            ``others``: all programs of the machine that have nothing to do with this.
        """
        before, busy = processor_seconds(self._upstreams.pid), busy_seconds()
        told: dict[str, float] = self._service.ask(
            hand_over=count, parallel=parallel, watched=watched
        )
        simulators = processor_seconds(self._upstreams.pid) - before
        others = busy_seconds() - busy - simulators - told["processor_seconds"]
        return {**told, "simulators": simulators, "others": others}
