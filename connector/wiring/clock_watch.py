"""Reports that it is not known what time it is, for as long as that lasts."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from connector.core.conditions import Severity
from connector.core.model import SECOND
from connector.wiring.conditions import Board
from connector.worker.partition_clock import DOUBT, Doubt

NAME: Final = "clock"
EVERY: Final = 5.0
"""Seconds between two looks; a doubt that the first answer ends is usually not seen by them."""


async def follow(
    doubts: Callable[[], Mapping[int, Doubt]], board: Board, stop: asyncio.Event
) -> None:
    """Look every few seconds until ``stop``. ``doubts``: what clocks say, by partition."""
    while not stop.is_set():
        look(doubts(), board)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                await stop.wait()


def look(doubts: Mapping[int, Doubt], board: Board) -> None:
    """Report the doubt of partitions, the one of the widest gap by its numbers."""
    if not doubts:
        board.clear(NAME)
        return
    widest = max(doubts.values(), key=lambda one: abs(one.wall - one.journal))
    seconds = (widest.wall - widest.journal) // SECOND
    where = "ahead of" if seconds > 0 else "behind"
    text = f"the clock is {abs(seconds)} s {where} the journal in {len(doubts)} partition(s)"
    board.report(NAME, Severity.CRITICAL, DOUBT, text)
