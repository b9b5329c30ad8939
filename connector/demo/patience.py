"""Waiting for something that is seen from the outside, by looking again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 25.0
POLL = 0.05


async def until(
    what: str, look: Callable[[], Awaitable[T | None]], *, patience: float = PATIENCE
) -> T:
    """The first answer of ``look`` that is true.

    Args:
        what: what is waited for, for the error.
        look: looks once.
        patience: seconds.

    Raises:
        TimeoutError: there was none in time.
    """
    try:
        async with asyncio.timeout(patience):
            while not (answer := await look()):  # noqa: ASYNC110 - seen by looking
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise TimeoutError(f"not within {patience:.0f} s: {what}") from None
    return answer
