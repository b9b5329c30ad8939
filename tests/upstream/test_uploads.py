"""Uploading a set: what left, what became of it, and that nothing of it stays."""

from collections.abc import Callable

import pytest
from aiohttp import web

from connector.core.errors import ConnectorError, Family, Scope
from connector.upstream import UEM, Answer, Upstream, upload
from tests.upstream.conftest import Handler, Place

SET = b"marker of a set " * 9000


def prepared() -> None:
    """Everything that can fail beforehand is done."""


class ObstacleError(Exception):
    """The preparation failed."""


async def uploaded(
    place: Place, content: bytearray, sending: Callable[[], None] = prepared
) -> Answer:
    async with Upstream("corp", place.settings(timeout=5), UEM, place.permits) as upstream:
        return await upload(upstream, "PUT", ("users", "7"), content, sending)


def answering(status: int, text: str = "") -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


async def test_a_set_arrives_as_it_is_and_is_overwritten_here(place: Place) -> None:
    """In pieces, under its length; the buffer of the caller holds zeros afterwards."""
    content = bytearray(SET)
    assert (await uploaded(place, content)).status == 200
    assert place.bodies == [SET]
    assert place.seen[0].content_length == len(SET)
    assert not any(content)


async def test_what_the_preparation_raises_comes_out_and_nothing_leaves(place: Place) -> None:
    """Though the client library wraps it on its way."""

    def sending() -> None:
        raise ObstacleError

    content = bytearray(SET)
    with pytest.raises(ObstacleError):
        await uploaded(place, content, sending)
    assert not any(place.bodies)
    assert not any(content)


@pytest.mark.parametrize(
    ("status", "code", "family", "scope"),
    [
        (302, "UEM-007", Family.PERMANENT, Scope.SUBJECT),
        (401, "UEM-401", Family.PERMANENT, Scope.UPSTREAM),
        (408, "UEM-002", Family.TRANSIENT, Scope.SUBJECT),
        (429, "UEM-004", Family.TRANSIENT, Scope.UPSTREAM),
        (500, "UEM-010", Family.TRANSIENT, Scope.SUBJECT),
        (502, "UEM-002", Family.TRANSIENT, Scope.SUBJECT),
        (503, "UEM-010", Family.TRANSIENT, Scope.SUBJECT),
        (504, "UEM-002", Family.TRANSIENT, Scope.SUBJECT),
    ],
)
async def test_a_status_says_what_became_of_it(
    place: Place, status: int, code: str, family: Family, scope: Scope
) -> None:
    """A set is sent once, for each kind of answer."""
    place.handler = answering(status)
    with pytest.raises(ConnectorError) as raised:
        await uploaded(place, bytearray(SET))
    assert (raised.value.code, raised.value.family, raised.value.scope) == (code, family, scope)
    assert len(place.seen) == 1


async def test_a_refusal_is_for_the_caller_to_judge(place: Place) -> None:
    """With its body: only the product's own words make it a refusal."""
    place.handler = answering(404, "unknown_user")
    answer = await uploaded(place, bytearray(SET))
    assert (answer.status, bytes(answer.body)) == (404, b"unknown_user")


async def test_a_connection_that_breaks_leaves_the_fate_open(place: Place) -> None:
    """The set may be there."""

    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    place.handler = broken
    with pytest.raises(ConnectorError) as raised:
        await uploaded(place, bytearray(SET))
    assert raised.value.code == "UEM-002"
