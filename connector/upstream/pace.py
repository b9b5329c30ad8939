"""Permits one by one, at a rate that may change while they are waited for."""

from collections.abc import Callable


class Pace:
    """In no second are more permits given than the rate, plus one.

    A permit is there when ``1 / rate`` seconds have passed since the last one, by the rate of now:
    with a smaller share of the rate the wait is longer from the same moment on.

    Args:
        rate: permits per second at the moment; 0 gives none.
        monotonic: seconds.
    """

    def __init__(self, rate: Callable[[], float], monotonic: Callable[[], float]) -> None:
        """The first permit is available at once."""
        self._rate = rate
        self._monotonic = monotonic
        self._last: float | None = None

    def wait(self) -> float | None:
        """Seconds until the next permit; 0 when it is there, None when none will come."""
        rate = self._rate()
        if rate <= 0:
            return None
        if self._last is None:
            return 0.0
        return max(self._last + 1 / rate - self._monotonic(), 0.0)

    def take(self) -> None:
        """Take a permit. One taken early makes the next wait longer."""
        now, rate = self._monotonic(), self._rate()
        owed = now if self._last is None or rate <= 0 else self._last + 1 / rate
        self._last = max(owed, now)
