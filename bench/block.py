"""A block: sides measured in turns, with the rulers read after each.

A ratio is made within a round, from sides that follow each other within seconds; so a machine that
changes its pace now and then spoils rounds, not the block. What counts are rounds at one pace.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from bench.calibration import DRIFT, Rulers
from bench.measured_process import SideFailed

ROUNDS = 5
TRIES = 3
"""A block may take this multiple of its rounds until enough of them count."""

Measure = Callable[[], Mapping[str, float] | None]
"""One round: the ratio of each id; None when the round is void."""


@dataclass(frozen=True)
class Block:
    """What is measured together.

    ``opened`` starts the sides in a folder and gives the measure of one round, with their end as
    its own end; it may raise :class:`VoidFigure` there. ``rulers`` are those that matter here.
    ``rounds`` are how many must count. ``missing`` says why the block cannot run on this machine,
    nothing when it can.
    """

    ids: tuple[str, ...]
    opened: Callable[[Path], AbstractContextManager[Measure]]
    rulers: tuple[str, ...] = ("python_seconds",)
    rounds: int = ROUNDS
    missing: Callable[[], str] = lambda: ""


class VoidFigure(Exception):
    """A check of the sides failed after all: nothing of this try counts."""


@dataclass(frozen=True)
class Round:
    """One round: the ratio of each id, and what the rulers said right after it."""

    ratios: Mapping[str, float]
    reading: Mapping[str, float]


@dataclass
class Measured:
    """All rounds of a block that gave figures; how many gave none; why nothing of it counts."""

    rounds: list[Round] = field(default_factory=list)
    void_rounds: int = 0
    void: str = ""

    @property
    def taken(self) -> int:
        """How many rounds were run."""
        return len(self.rounds) + self.void_rounds

    def values(self, name: str) -> list[float]:
        """The ratios of one id, of the rounds that count."""
        return [] if self.void else [one.ratios[name] for one in steady(self.rounds)]


@dataclass(frozen=True)
class Time:
    """On the monotonic clock: until when rounds are added, and until when any round begins."""

    again: float
    end: float


def run(block: Block, folder: Path, time_left: Time) -> Measured:
    """Measure a block until enough rounds count, while there is time."""
    measured = Measured()
    if reason := block.missing():
        measured.void = f"skipped, {reason}"
        return measured
    folder.mkdir(parents=True)
    rulers = Rulers(folder, block.rulers)
    try:
        with block.opened(folder) as measure:
            while _goes_on(block, measured, time_left):
                _measure(measure, rulers, measured)
    except (VoidFigure, SideFailed) as reason:
        measured.void = str(reason)
    counted = len(steady(measured.rounds))
    if not measured.void and counted < block.rounds:
        measured.void = f"of {measured.taken} rounds {counted} were at one pace"
    return measured


def steady(rounds: Sequence[Round]) -> list[Round]:
    """The most rounds among whose readings no ruler stretches by more than :data:`DRIFT`."""
    found: list[Round] = []
    names = list(rounds[0].reading) if rounds else []
    for shortest in product(*([one.reading[name] for one in rounds] for name in names)):
        bounds = dict(zip(names, shortest, strict=True))
        inside = [one for one in rounds if _within(one.reading, bounds)]
        found = max(found, inside, key=len)
    return found


def _within(reading: Mapping[str, float], bounds: Mapping[str, float]) -> bool:
    return all(low <= reading[name] <= low * (1 + DRIFT) for name, low in bounds.items())


def _goes_on(block: Block, measured: Measured, time_left: Time) -> bool:
    now = time.monotonic()
    if now > time_left.end or len(steady(measured.rounds)) >= block.rounds:
        return False
    return measured.taken < block.rounds or (
        measured.taken < TRIES * block.rounds and now < time_left.again
    )


def _measure(measure: Measure, rulers: Rulers, measured: Measured) -> None:
    ratios = measure()
    if ratios is None:
        measured.void_rounds += 1
    else:
        measured.rounds.append(Round(ratios, rulers.read()))
