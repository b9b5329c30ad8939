"""Repeat idempotent reads a few times, for failures that pass within seconds.

Only a broken connection and the statuses of an overloaded or restarting gateway are worth it.
Refused credentials and throttling would be made worse, a timeout has waited long enough already.
Every longer repetition belongs to the state that asked.
"""

import errno
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import ClientOSError, ClientPayloadError, ServerDisconnectedError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
)

from connector.upstream.answer import Answer

TRIES = 3
WITHIN_SECONDS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
PASSING = frozenset({502, 503, 504})
BROKEN = (ServerDisconnectedError, ClientPayloadError, ConnectionResetError, BrokenPipeError)

Sleep = Callable[[float], Awaitable[None]]


def _is_broken(error: BaseException) -> bool:
    resets = {errno.ECONNRESET, errno.EPIPE}
    return isinstance(error, BROKEN) or (isinstance(error, ClientOSError) and error.errno in resets)


def _passes(answer: Answer) -> bool:
    """Whether an immediate second try may succeed; not if the server named a time itself."""
    return answer.status in PASSING and "Retry-After" not in answer.headers


async def repeated(name: str, attempt: Callable[[], Awaitable[Answer]], sleep: Sleep) -> Answer:
    """The answer of ``attempt``, which is called at most three times within five seconds.

    The last answer or the last exception is passed on as it is. Only the error's class is logged:
    its text may hold an address with an identifier.
    """

    def note(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        structlog.get_logger(__name__).info(
            "upstream_read_repeated",
            upstream=name,
            attempt=state.attempt_number,
            error=type(error).__name__ if error else "status",
        )

    tries = AsyncRetrying(
        stop=stop_after_attempt(TRIES) | stop_before_delay(WITHIN_SECONDS),
        wait=wait_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
        retry=retry_if_exception(_is_broken) | retry_if_result(_passes),
        before_sleep=note,
        sleep=sleep,
        retry_error_callback=_last,
    )
    return await tries(attempt)


def _last(state: RetryCallState) -> Answer:
    if state.outcome is None:
        raise RuntimeError("repeating without a try")
    answer: Answer = state.outcome.result()
    return answer
