"""A side's end of the pipe to the benchmark: one order per line of JSON, one answer per line."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Answer = dict[str, Any]
Obey = Callable[[dict[str, Any]], Awaitable[Answer]]


def say(answer: Answer) -> None:
    """One line to the benchmark."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def obey(handler: Obey) -> None:
    """Answer every order until the benchmark closes the pipe."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        say(await handler(json.loads(line)))
