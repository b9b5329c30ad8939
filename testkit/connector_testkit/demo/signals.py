"""End in good order when the demo gets a signal."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

ENDING = (signal.SIGTERM, signal.SIGHUP)
SIGNALLED = 128
"""Added to a signal's number, this is the exit code of what it ended."""


async def unless_signalled(work: Coroutine[Any, Any, int]) -> int:
    """The result of some work, or 128 and a signal's number, when that cancelled it."""
    loop = asyncio.get_running_loop()
    ended: list[signal.Signals] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)

        def end(number: signal.Signals) -> None:
            if not ended:  # a second one must not disturb the cleaning up
                ended.append(number)
                task.cancel()

        for number in ENDING:
            loop.add_signal_handler(number, end, number)
    return SIGNALLED + ended[0] if task.cancelled() else task.result()
