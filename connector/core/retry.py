"""When to try again: capped exponential back-off with full jitter, and ``Retry-After``."""

from collections.abc import Callable

from connector.core.errors import Fault
from connector.core.model import DAY, SECOND, Millis
from connector.core.policy import Retry

LONGEST_ASKED: Millis = DAY
"""A ``Retry-After`` beyond a day is taken as a day."""


def backoff(
    retry: Retry, attempts: int, dice: Callable[[], float], fault: Fault | None = None
) -> Millis:
    """Milliseconds to wait before the next try.

    Args:
        retry: first step and cap.
        attempts: failed tries so far, at least 1.
        dice: yields numbers in [0, 1); full jitter spreads the tries over the whole step.
        fault: the failure; its ``retry_after`` is a lower bound.
    """
    step = min(retry.cap, retry.first * 2 ** min(max(attempts, 1) - 1, 30))
    return max(int(dice() * step), asked(fault), 1)


def asked(fault: Fault | None) -> Millis:
    """Milliseconds that an upstream asked to wait, at most a day; 0 when it did not ask."""
    if fault is None or fault.retry_after is None:
        return 0
    return int(min(fault.retry_after * SECOND, LONGEST_ASKED))


def poll(retry: Retry, looks: int, dice: Callable[[], float]) -> Millis:
    """Milliseconds until the next look at something slow: growing, capped, jittered."""
    step = min(retry.cap, retry.first * 2 ** min(looks // 4, 30))
    return max(int(step * (0.75 + dice() / 4)), 1)
