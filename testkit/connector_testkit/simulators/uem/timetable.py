"""What will happen by itself (installations, purges), in the order of the simulator's clock."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

LONGEST_WAIT = timedelta(seconds=30)

DueAct = tuple[datetime, int, Callable[[datetime], None]]


class Timetable:
    """Acts that are due at a time of the simulator's clock.

    An act is called once, with the time that it was due at. Code that reads the simulator's state
    calls :meth:`settle` first, so that it never sees an outdated state.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._due: list[DueAct] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def at(self, due: datetime, act: Callable[[datetime], None]) -> None:
        """Call ``act`` when the clock has reached ``due``."""
        heapq.heappush(self._due, (due, next(self._order), act))
        self._changed.set()

    def clear(self) -> None:
        """Forget everything that was due."""
        self._due.clear()

    def turned(self) -> None:
        """Say that the clock was turned."""
        self._changed.set()

    def settle(self) -> None:
        """Do what is due."""
        now = self._now()
        while self._due and self._due[0][0] <= now:
            due, _, act = heapq.heappop(self._due)
            act(due)

    async def run(self) -> None:
        """Settle whenever something falls due, until cancelled."""
        while True:
            self._changed.clear()
            self.settle()
            try:
                async with asyncio.timeout(self._wait().total_seconds()):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _wait(self) -> timedelta:
        if not self._due:
            return LONGEST_WAIT
        return max(timedelta(0), min(self._due[0][0] - self._now(), LONGEST_WAIT))
