"""Pairs of pipelines that are measured in turns, and how they are seeded."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.machine import server_core
from bench.measured_process import Side
from bench.seed import Seed, templates

WARM_UP = 100
HOLDERS = 400
FAST = 200.0
"""Speed of the clock inside: no retention and no look is waited for."""


@dataclass
class Pipeline:
    """A side that delivers to ever new users. ``prefix`` keeps its users apart from others'."""

    side: Side
    user: int = 1

    def deliver(self, holders: int = HOLDERS) -> dict[str, float]:
        """Deliver to a number of new users."""
        first, self.user = self.user, self.user + holders
        told: dict[str, float] = self.side.ask(deliver=[first, self.user])
        return told

    def fail(self, holders: int) -> None:
        """A number of new users fail from now on."""
        first, self.user = self.user, self.user + holders
        self.side.ask(fail=[first, self.user])

    def resident(self) -> int:
        """Resident memory in bytes."""
        return int(self.side.ask()["resident"])


def pipeline(
    stack: ExitStack,
    folder: Path,
    *,
    synchronous: str = "FULL",
    waiting: int = 0,
    speed: float = FAST,
) -> Pipeline:
    """Start a pipeline, warmed up, with a number of subjects waiting in its journal."""
    folder.mkdir()
    if waiting:
        (folder / "template").mkdir()
        seed = Seed(folder / "journal.sqlite", asyncio.run(templates(folder / "template")))
        seed.waiting(waiting)
    side = Side("bench.sides.pipeline", str(folder), synchronous, str(speed), cores=server_core())
    made = Pipeline(stack.enter_context(side))
    made.side.heard()
    made.deliver(WARM_UP)
    return made
