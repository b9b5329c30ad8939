"""Waiting for something that is seen from the outside, by looking again and again."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

T = TypeVar("T")

USUAL = 45.0
"""Seconds after which two quiet cores will not do any more what they have not done yet."""
POLL = 0.05
ASK = 0.5
"""Seconds between two looks that start a process each."""
QUIET = 0.15
"""Seconds that one probe takes on two quiet cores."""
WORST = 8.0
SLOWNESS = "STAGE_SLOWNESS"
"""Environment variable with a factor that was measured before; it is not measured again."""
PROBE = "import asyncio, ssl, hashlib; hashlib.pbkdf2_hmac('sha256', b'probe', b'salt', 200_000)"
"""What a stage consists of: starting a process, importing, reckoning."""


@cache
def slowness() -> float:
    """How many times slower than two quiet cores this machine is now: from 1 to 8.

    Measured once per process (the median of three probes, half a second on a quiet machine).
    """
    if given := os.environ.get(SLOWNESS):
        return float(given)
    probes = []
    for _ in range(3):
        before = time.monotonic()
        subprocess.run([sys.executable, "-I", "-c", PROBE], check=True)
        probes.append(time.monotonic() - before)
    return round(min(max(sorted(probes)[1] / QUIET, 1.0), WORST), 1)


def patience() -> float:
    """Seconds to wait for something that has to come: the one limit, scaled by :func:`slowness`."""
    return USUAL * slowness()


async def until(
    what: str,
    look: Callable[[], Awaitable[T | None]],
    *,
    within: float | None = None,
    every: float = POLL,
) -> T:
    """The first answer of ``look`` that is true.

    Args:
        what: what is waited for, for the error.
        look: looks once.
        within: seconds; :func:`patience` when left out.
        every: seconds between two looks.

    Raises:
        TimeoutError: there was none in time.
    """
    limit = patience() if within is None else within
    try:
        async with asyncio.timeout(limit):
            while not (answer := await look()):  # noqa: ASYNC110 - seen by looking
                await asyncio.sleep(every)
    except TimeoutError:
        raise TimeoutError(f"not within {limit:.0f} s: {what}") from None
    return answer
