"""When partitions that another process has left are served again."""

import asyncio
import time
from collections.abc import Sequence

from bench.stage import Stage, enrolled
from connector.core.errors import Fault
from connector.core.events import Event
from connector.core.model import SubjectKey, partition_of
from connector.core.states import Effect


class Waking:
    """Notes the first effect in each partition since it was asked."""

    def __init__(self, stage: Stage) -> None:
        """Listen to every effect of the stage."""
        self._stage = stage
        self._next = 1
        self._first: dict[int, float] = {}
        self._news = asyncio.Event()
        stage.world.fault = self._seen

    async def effects(self, partitions: Sequence[int]) -> float:
        """Let a device enrol in each partition; when all of them had an effect (monotonic clock).

        Any process takes events for every partition, so this works before they are its own.
        """
        self._first.clear()
        await self._stage.journal.append([self._device_in(number) for number in partitions])
        while not self._first.keys() >= set(partitions):
            self._news.clear()
            await self._news.wait()
        return max(self._first[number] for number in partitions)

    def _device_in(self, partition: int) -> Event:
        while True:
            event = enrolled(self._next, self._stage.clock.now())
            self._next += 1
            if partition_of(event.subject, self._stage.journal.partitions) == partition:
                return event

    def _seen(self, _effect: Effect, key: SubjectKey) -> Fault | None:
        number = partition_of(key, self._stage.journal.partitions)
        self._first.setdefault(number, time.monotonic())
        self._news.set()
        return None
