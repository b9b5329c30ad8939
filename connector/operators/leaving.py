"""Cancel long work when the operator's program has disconnected."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")

LOOK_EVERY = 0.5
"""Seconds between two looks whether the connection is still there."""


async def while_there(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Await work, and cancel it when the connection of its request is closed.

    Only for work that changes nothing: a command goes on even if its answer cannot be sent.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            if request.transport is None or request.transport.is_closing():
                break
        if not task.done():
            raise asyncio.CancelledError
        return await task
    finally:
        task.cancel()
