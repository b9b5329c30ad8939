"""One signal per partition, set when it got new events."""

import asyncio
import contextlib
from collections.abc import Iterable


class PartitionSignals:
    """Lets the owner of a partition sleep until there may be something to read."""

    def __init__(self, partitions: int) -> None:
        self._signals = [asyncio.Event() for _ in range(partitions)]

    def ring(self, partitions: Iterable[int]) -> None:
        """Set the signals of these partitions, which wakes the present or the next :meth:`wait`."""
        for partition in partitions:
            self._signals[partition].set()

    async def wait(self, partition: int, seconds: float) -> None:
        """Return once the signal was set since the last return, or after ``seconds``."""
        signal = self._signals[partition]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await signal.wait()
        signal.clear()
