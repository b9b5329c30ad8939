"""Tidying goes by the time that the journal's owners decide by, not by a clock that may leap."""

import asyncio
from typing import Any

import pytest

from connector.assembly.gauges import Gauges
from connector.core.metrics import NoMetrics
from connector.core.model import DAY, Millis


class Tidied:
    """A journal that only remembers up to when it was tidied."""

    def __init__(self) -> None:
        self.until: list[Millis] = []
        self.tidied = asyncio.Event()

    def load_of_appends(self) -> tuple[int, float]:
        return 0, 0.0

    async def tidy(self, now: Millis) -> None:
        self.until.append(now)
        self.tidied.set()


class Leapt:
    """A wall clock that is a year ahead of the journal; an hour passes at each look."""

    seconds = 0.0

    def now(self) -> Millis:
        return 365 * DAY

    def monotonic(self) -> float:
        self.seconds += 3600.0
        return self.seconds


@pytest.mark.parametrize("time", [5 * DAY, 0])
async def test_a_leap_of_the_wall_clock_forgets_no_ids(time: Millis) -> None:
    """What was taken within its retention is known; while no time is known, nothing is let go."""
    journal: Any = Tidied()
    stop = asyncio.Event()
    gauges = Gauges(journal, NoMetrics(), Leapt(), lambda: time, {})
    async with asyncio.TaskGroup() as group:
        group.create_task(gauges.follow(stop, every=0.001, tidy_every=3600.0))
        await journal.tidied.wait()
        stop.set()
    assert set(journal.until) == {time}
