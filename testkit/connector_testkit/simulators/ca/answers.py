"""Answers that misbehave as answers: too big, not JSON, too slow, never, elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from connector_testkit.simulators.ca.commands import Lie, LieOrder
from connector_testkit.simulators.ca.problems import problem

HUGE_BYTES = 10 * 1024 * 1024
DRIBBLE_PROMISED = 4096
DRIBBLE_PAUSE = 0.1
ELSEWHERE = "/elsewhere"
PAGE = "<!doctype html><title>Sign in</title><h1>Please sign in to the network</h1>"


class Stalls:
    """Requests that wait until they are released."""

    def __init__(self) -> None:
        self._release = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the next release."""
        await self._release.wait()

    def release(self) -> None:
        """Release all waiting answers; later ones wait again."""
        self._release.set()
        self._release = asyncio.Event()


async def misbehave(
    request: web.Request, order: LieOrder, stalls: Stalls
) -> web.StreamResponse | None:
    """The answer in which ``order`` consists; None when the lie is one of content."""
    if order.lie is Lie.STALL:
        await stalls.wait()
        return problem(503, "unavailable")
    answer = ANSWERS.get(order.lie)
    return None if answer is None else await answer(request, order)


async def _huge(request: web.Request, _: LieOrder) -> web.StreamResponse:
    return web.Response(body=bytes(HUGE_BYTES), headers={"Content-Type": _accepted(request)})


async def _html(_: web.Request, __: LieOrder) -> web.StreamResponse:
    return web.Response(text=PAGE, content_type="text/html")


async def _redirect(_: web.Request, __: LieOrder) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": ELSEWHERE})


async def _status(_: web.Request, order: LieOrder) -> web.StreamResponse:
    return problem(order.status, order.code, order.retry_after)


async def _dribble(request: web.Request, _: LieOrder) -> web.StreamResponse:
    """Promise a few thousand bytes and send one every tenth of a second."""
    headers = {"Content-Type": _accepted(request), "Content-Length": str(DRIBBLE_PROMISED)}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    for __ in range(DRIBBLE_PROMISED):
        await response.write(b" ")
        await asyncio.sleep(DRIBBLE_PAUSE)
    return response


async def _reset(request: web.Request, _: LieOrder) -> web.StreamResponse:
    """Cut the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _accepted(request: web.Request) -> str:
    """The media type that the client likes best, so that only the content is wrong."""
    return request.headers.get("Accept", "application/json").split(",")[0]


ANSWERS: dict[Lie, Callable[[web.Request, LieOrder], Awaitable[web.StreamResponse]]] = {
    Lie.HUGE: _huge,
    Lie.HTML: _html,
    Lie.REDIRECT: _redirect,
    Lie.STATUS: _status,
    Lie.DRIBBLE: _dribble,
    Lie.RESET: _reset,
}
