"""A block: sides measured in turns, with the rulers read before, between and after."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.calibration import DRIFT, Rulers
from bench.side import SideFailed

ROUNDS = 5
EXTRA_ROUNDS = 3
TRIES = 3

Measure = Callable[[], Mapping[str, float] | None]
"""One round: the ratio of each id; None when the round is void."""


@dataclass(frozen=True)
class Block:
    """What is measured together.

    ``opened`` starts the sides in a folder and gives the measure of one round, with their end as
    its own end; it may raise :class:`VoidFigure` there. ``rulers`` are those that matter here.
    ``missing`` says why the block cannot run on this machine, nothing when it can.
    """

    ids: tuple[str, ...]
    opened: Callable[[Path], AbstractContextManager[Measure]]
    rulers: tuple[str, ...] = ("python_seconds",)
    rounds: int = ROUNDS
    missing: Callable[[], str] = lambda: ""


class VoidFigure(Exception):
    """A check of the sides failed after all: nothing of this try counts."""


@dataclass
class Tried:
    """One try of a block: the values of each id by rounds, and what the rulers said."""

    values: dict[str, list[float]]
    readings: list[dict[str, float]] = field(default_factory=list)
    void_rounds: int = 0
    void: str = ""


@dataclass(frozen=True)
class Time:
    """On the monotonic clock: until when a block is tried again, and until when it runs at all."""

    again: float
    end: float


def run(block: Block, folder: Path, time_left: Time) -> list[Tried]:
    """Try a block until a try counts, at most three times, while there is time."""
    tries: list[Tried] = []
    if reason := block.missing():
        return [Tried({name: [] for name in block.ids}, void=f"skipped, {reason}")]
    while len(tries) < TRIES and (not tries or time.monotonic() < time_left.again):
        own = folder / f"try-{len(tries)}"
        own.mkdir(parents=True)
        tries.append(_try(block, own, time_left.end))
        if not tries[-1].void:
            break
    return tries


def _try(block: Block, folder: Path, end: float) -> Tried:
    tried = Tried({name: [] for name in block.ids})
    if time.monotonic() > end:
        tried.void = "no time was left"
        return tried
    rulers = Rulers(folder, block.rulers)
    rulers.read()
    try:
        with block.opened(folder) as measure:
            _rounds(block, measure, rulers, tried, end)
    except (VoidFigure, SideFailed) as reason:
        tried.void = str(reason)
    rulers.read()
    tried.readings = rulers.readings
    drift = rulers.drift()
    if not tried.void and drift > DRIFT:
        tried.void = f"the machine drifted by {drift:.0%}"
    return tried


def _rounds(block: Block, measure: Measure, rulers: Rulers, tried: Tried, end: float) -> None:
    for number in range(block.rounds + EXTRA_ROUNDS):
        if time.monotonic() > end:
            break
        if number == block.rounds // 2:
            rulers.read()
        ratios = measure()
        if ratios is None:
            tried.void_rounds += 1
            if tried.void_rounds > EXTRA_ROUNDS:
                break
            continue
        for name, value in ratios.items():
            tried.values[name].append(value)
        if _filled(tried) >= block.rounds:
            return
    tried.void = f"{tried.void_rounds} rounds were void, {_filled(tried)} counted"


def _filled(tried: Tried) -> int:
    return min(map(len, tried.values.values()))
