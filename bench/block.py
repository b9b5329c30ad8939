"""A block: sides measured in turns, with the rulers read before, between and after."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.calibration import DRIFT, Rulers

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
    """

    ids: tuple[str, ...]
    opened: Callable[[Path], AbstractContextManager[Measure]]
    rulers: tuple[str, ...] = ("python_seconds",)
    rounds: int = ROUNDS


class VoidFigure(Exception):
    """A check of the sides failed after all: nothing of this try counts."""


@dataclass
class Tried:
    """One try of a block: the values of each id by rounds, and what the rulers said."""

    values: dict[str, list[float]]
    readings: list[dict[str, float]] = field(default_factory=list)
    void_rounds: int = 0
    void: str = ""


def run(block: Block, folder: Path, until: float) -> list[Tried]:
    """Try a block until a try counts, at most three times, and not beyond ``until`` (monotonic)."""
    tries: list[Tried] = []
    while len(tries) < TRIES and (not tries or time.monotonic() < until):
        own = folder / f"try-{len(tries)}"
        own.mkdir(parents=True)
        tries.append(_try(block, own))
        if not tries[-1].void:
            break
    return tries


def _try(block: Block, folder: Path) -> Tried:
    rulers = Rulers(folder, block.rulers)
    tried = Tried({name: [] for name in block.ids})
    rulers.read()
    try:
        with block.opened(folder) as measure:
            _rounds(block, measure, rulers, tried)
    except VoidFigure as reason:
        tried.void = str(reason)
    rulers.read()
    tried.readings = rulers.readings
    drift = rulers.drift()
    if not tried.void and drift > DRIFT:
        tried.void = f"the machine drifted by {drift:.0%}"
    return tried


def _rounds(block: Block, measure: Measure, rulers: Rulers, tried: Tried) -> None:
    for number in range(block.rounds + EXTRA_ROUNDS):
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
    tried.void = f"{tried.void_rounds} rounds were void"


def _filled(tried: Tried) -> int:
    return min(map(len, tried.values.values()))
