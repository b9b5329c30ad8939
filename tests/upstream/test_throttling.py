"""Requests that the upstream asks to wait: sent again within a bound, and held back for all."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from connector.core.errors import Scope, Transient
from connector.core.metric_definitions import (
    BACKEND_BUDGET_LEFT,
    BACKEND_HTTP_REQUESTS,
    BACKEND_RATE_LIMIT_WAIT,
    BACKEND_THROTTLED_REQUESTS,
)
from connector.upstream import RequestLimit
from tests.support.counted import Counted
from tests.upstream.conftest import Clock, Place

Handler = Callable[[web.Request], Awaitable[web.Response]]


def answering(*answers: tuple[int, dict[str, str]]) -> Handler:
    """Each of these statuses once, then 200."""
    left = list(answers)

    async def handler(_request: web.Request) -> web.Response:
        status, headers = left.pop(0) if left else (200, {})
        return web.Response(status=status, headers=headers, text="{}")

    return handler


def after(seconds: object) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_that_is_asked_to_wait_is_sent_again_after_it(
    place: Place, status: int
) -> None:
    """A look of many requests is not lost with one of them; an act that was not done is done."""
    place.handler = answering((status, after(3)), (200, {}), (status, after(4)))
    async with place.upstream() as upstream:
        assert (await upstream.look(("x",))).json() == {}
        assert (await upstream.request("POST", ("x",), body=b"{}")).json() == {}
    assert len(place.seen) == 4
    assert place.bodies[2:] == [b"{}", b"{}"]
    assert sum(place.clock.slept) == pytest.approx(7.0)


async def test_without_a_time_the_waits_grow(place: Place) -> None:
    """A second, two, four."""
    place.handler = answering(*[(429, {})] * 3)
    async with place.upstream() as upstream:
        await upstream.look(("x",))
    assert sum(place.clock.slept) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("answers", "requests", "told"),
    [
        ([(429, after(21))], 1, 21.0),
        ([(429, after(7))] * 9, 3, 7.0),
        ([(429, {})] * 9, 5, None),
    ],
)
async def test_what_lasts_longer_is_a_fault_of_the_upstream(
    place: Place, answers: list[tuple[int, dict[str, str]]], requests: int, told: float | None
) -> None:
    """Beyond ``throttle_wait`` no request holds a place; the state comes back when asked to."""
    place.handler = answering(*answers)
    async with place.upstream(throttle_wait=20) as upstream:
        with pytest.raises(Transient) as caught:
            await upstream.look(("x",))
    assert (caught.value.retry_after, caught.value.scope) == (told, Scope.UPSTREAM)
    assert len(place.seen) == requests
    assert sum(place.clock.slept) <= 20


async def test_throttling_holds_all_requests_back(place: Place) -> None:
    """It counts them together; a 503 is of the one resource and holds no other back."""
    held: list[float] = []

    class Noted(RequestLimit):
        def hold(self, seconds: float) -> None:
            held.append(seconds)

    place.permits = Noted()
    place.handler = answering((503, after(5)), (200, {}), (429, after(6)))
    async with place.upstream() as upstream:
        await upstream.look(("x",))
        await upstream.look(("x",))
    assert held == [6.0]


async def test_no_request_overtakes_one_that_waits() -> None:
    """Permits are given in the order in which they were asked for, one per interval."""
    clock, order = Clock(), list[tuple[int, float]]()
    limit = RequestLimit(rate=lambda: 2.0, monotonic=clock.monotonic, sleep=clock.sleep)

    async def ask(number: int) -> None:
        await limit.take()
        order.append((number, round(clock.monotonic() - 1000, 3)))

    await asyncio.gather(*(ask(number) for number in range(5)))
    assert order == [(number, number / 2) for number in range(5)]


async def test_requests_throttling_and_what_is_left_are_counted(place: Place) -> None:
    """Each request by the process that sent it, and the budget as the upstream tells it."""
    metrics, clock = Counted(), place.clock
    place.permits = RequestLimit(
        "ca:corp", metrics=metrics, monotonic=clock.monotonic, sleep=clock.sleep
    )
    place.handler = answering((429, {}), (200, {"X-RateLimit-Remaining": "249976"}))
    async with place.upstream() as upstream:
        await upstream.look(("x",))
    place.permits.spend()
    told = [call for call in metrics.calls if call[0] is not BACKEND_RATE_LIMIT_WAIT]
    assert told == [
        (BACKEND_HTTP_REQUESTS, 1, ("ca:corp", "service")),
        (BACKEND_THROTTLED_REQUESTS, 1, ("ca:corp",)),
        (BACKEND_HTTP_REQUESTS, 1, ("ca:corp", "service")),
        (BACKEND_BUDGET_LEFT, 249976, ("ca:corp",)),
        (BACKEND_HTTP_REQUESTS, 1, ("ca:corp", "hand_over")),
    ]


@pytest.mark.parametrize(("left", "scarce"), [("99", True), ("100", False)])
async def test_a_budget_is_scarce_until_its_window_ends(
    place: Place, left: str, *, scarce: bool
) -> None:
    """Less than the reserve is left; the window's end is read on the upstream's own clock."""
    clock = place.clock
    place.permits = RequestLimit(reserve=0.1, monotonic=clock.monotonic, sleep=clock.sleep)
    told = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": left, "X-RateLimit-Reset": "90"}
    place.handler = answering((200, {**told, "Date": "Thu, 01 Jan 1970 00:00:30 GMT"}))
    async with place.upstream() as upstream:
        await upstream.look(("x",))
    assert place.permits.scarce() is scarce
    await clock.sleep(61)
    assert not place.permits.scarce()


async def test_the_time_of_each_answer_is_told(place: Place) -> None:
    """Also of one that is an error: its clock is as good."""
    times: list[int | None] = []
    place.permits = RequestLimit(told_time=times.append)
    date = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    place.handler = answering((404, date))
    async with place.upstream() as upstream:
        await upstream.look(("x",), judged=(404,))
    assert times == [784111777000]
