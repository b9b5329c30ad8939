"""The request limit of one upstream: requests are counted and paced.

Every request of the service passes here, for all effects, because that is what an
upstream counts. A hand-over process keeps to a part of the rate by itself and says what it sends;
the service waits for as long as those requests would have taken.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import inf

from connector.core.metric_definitions import (
    BACKEND_BUDGET_LEFT,
    BACKEND_HTTP_REQUESTS,
    BACKEND_RATE_LIMIT_WAIT,
    BACKEND_THROTTLED_REQUESTS,
)
from connector.core.metrics import Metrics, NoMetrics
from connector.core.model import Millis

LONGEST_SLEEP = 1.0
"""Seconds after which the rate is computed again, as partitions may have moved."""


def _untold(_time: Millis | None) -> None:
    """The time of an answer is of no interest."""


class RequestLimit:
    """Permits for the requests to one upstream; see :class:`connector.core.ports.RequestPermits`.

    Args:
        name: ``ca:NAME`` or ``uem:NAME``, for the metrics.
        rate: requests per second at the moment, infinite without a limit.
        metrics: counts requests and waits, and publishes what is left of a budget.
        reserve: part of the upstream's budget that is kept for what a device waits for.
        told_time: called with the time of each answer.
        monotonic: seconds.
        sleep: sleeps for a number of seconds.
    """

    def __init__(  # noqa: PLR0913 - each has a default, all but three are named
        self,
        name: str = "",
        rate: Callable[[], float] = lambda: inf,
        metrics: Metrics | None = None,
        *,
        reserve: float = 0.0,
        told_time: Callable[[Millis | None], None] = _untold,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.rate = rate
        self._metrics = metrics or NoMetrics()
        self._monotonic = monotonic
        self._sleep = sleep
        self._pace = Pace(rate, monotonic)
        self._reserve = reserve
        self.answered = told_time
        self._held_until = 0.0
        self._scarce_until = 0.0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait for the permit of one request; permits are given in the order of the calls."""
        asked = self._monotonic()
        async with self._turn:
            while (wait := self._wait()) > 0:
                await self._sleep(min(wait, LONGEST_SLEEP))
            self._pace.take()
        waited = self._monotonic() - asked
        self._metrics.count(BACKEND_HTTP_REQUESTS, backend=self.name, caller="service")
        self._metrics.observe(BACKEND_RATE_LIMIT_WAIT, waited, backend=self.name)

    def spend(self) -> None:
        """A hand-over process sends a request: the next request here waits for it, too."""
        self._pace.take()
        self._metrics.count(BACKEND_HTTP_REQUESTS, backend=self.name, caller="hand_over")

    def hold(self, seconds: float) -> None:
        """Send nothing for ``seconds``, because the upstream asked to slow down."""
        self._held_until = max(self._held_until, self._monotonic() + seconds)
        self._metrics.count(BACKEND_THROTTLED_REQUESTS, backend=self.name)

    def held(self) -> float:
        """Seconds for which nothing is sent because the upstream asked for it."""
        return max(self._held_until - self._monotonic(), 0.0)

    def left(self, requests: int, of: int | None = None, seconds: float | None = None) -> None:
        """What the upstream says is left of its budget; see :class:`RequestPermits`."""
        self._metrics.gauge(BACKEND_BUDGET_LEFT, requests, backend=self.name)
        is_scarce = of is not None and seconds is not None and requests < of * self._reserve
        self._scarce_until = self._monotonic() + (seconds or 0.0) if is_scarce else 0.0

    def scarce(self) -> bool:
        """Whether so little is left that only what a device waits for should be asked."""
        return self._monotonic() < self._scarce_until

    def _wait(self) -> float:
        paced = self._pace.wait()
        return max(LONGEST_SLEEP if paced is None else paced, self.held())


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
