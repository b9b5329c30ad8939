"""When things happen in a run of a given number of seconds."""

import asyncio
from contextlib import suppress


class Pace:
    """Begins when it is made."""

    def __init__(self, seconds: float) -> None:
        """Ends by itself after that number of seconds."""
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._over = asyncio.Event()
        self._loop.call_later(seconds, self._over.set)

    async def until(self, moment: float) -> bool:
        """Wait until that many seconds after the start, or the end; whether the run goes on."""
        return await self.rest(self._start + moment - self._loop.time())

    async def rest(self, seconds: float) -> bool:
        """Wait that number of seconds, or until the end; whether the run goes on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return not self._over.is_set()
