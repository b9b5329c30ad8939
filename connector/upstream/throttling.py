"""Sending a request again when the upstream asked to wait instead of doing it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from connector.core.ports import RequestPermits
from connector.upstream.answer import Answer
from connector.upstream.headers import retry_after
from connector.upstream.repeat import Sleep

FIRST_WAIT, LONGEST_WAIT = 1.0, 16.0
"""Seconds where a 429 names no time: doubled each time."""
SHORTEST_WAIT = 0.1


class Patience:
    """How long one request waits in all where it is asked to.

    A look of many requests would otherwise fail with the one that came too early, and begin
    again from the start. What lasts longer is a fault, which the state waits out.
    """

    def __init__(self, seconds: float, permits: RequestPermits, sleep: Sleep) -> None:
        """``seconds``: in all; ``permits`` are held back for others as well after a 429."""
        self._left = seconds
        self._permits = permits
        self._sleep = sleep
        self._guess = FIRST_WAIT

    async def answered(self, once: Callable[[], Awaitable[Answer]]) -> Answer:
        """The first answer of ``once`` that is no request to wait, or the last one."""
        while True:
            answer = await once()
            wait = self._asked(answer)
            if wait is None or wait > self._left:
                return answer
            self._left -= wait
            if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._permits.hold(wait)  # the next permit is the end of the wait
            else:
                await self._sleep(wait)

    def _asked(self, answer: Answer) -> float | None:
        """Seconds to wait; None when it is no such answer.

        A 503 concerns the one resource, as far as is known, and is a reason to wait only where it
        says for how long. A 429 counts our requests together, as far as is known; for these few
        seconds that need not be found out.
        """
        told = retry_after(answer.headers)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            if told is None:
                told, self._guess = self._guess, min(2 * self._guess, LONGEST_WAIT)
            return max(told, SHORTEST_WAIT)
        named = answer.status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers
        return None if told is None or not named else max(told, SHORTEST_WAIT)
