"""One resource that is refused or fails, and an upstream that refuses or fails for all."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import pytest
from aiohttp import web

from connector.core.errors import ConnectorError, Scope, Transient
from connector.upstream import Upstream
from tests.upstream.conftest import Place

ONE, ALL = Scope.SUBJECT, Scope.UPSTREAM
PROBE = "probe"


class Server:
    """Answers by the last part of the path: a status, or 200; counts what it was asked."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.statuses: Mapping[str, int] = {}
        self.headers: Mapping[str, str] = {}
        self.asked: list[str] = []
        self.client = place.probed(self.probe)
        place.handler = self.handle

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        self.asked.append(name)
        status = self.statuses.get(name, self.statuses.get("*", 200))
        return web.Response(status=status, headers=self.headers, text="{}")

    async def probe(self) -> None:
        await self.client.look((PROBE,), of_all=True)

    async def faults(self, *names: str) -> list[tuple[str, Scope] | None]:
        return [await fault(self.client, name) for name in names]


async def fault(upstream: Upstream, name: str) -> tuple[str, Scope] | None:
    """Code and scope of what a look raises; None when it succeeds."""
    try:
        await upstream.look((name,))
    except ConnectorError as error:
        return error.code, error.scope
    return None


@pytest.fixture
def server(place: Place) -> Server:
    return Server(place)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "CA-403"), (429, "CA-003"), (500, "CA-002"), (503, "CA-002")]
)
@pytest.mark.parametrize("ill", [1, 3, 10])
async def test_what_single_resources_meet_is_theirs_however_many_they_are(
    server: Server, status: int, code: str, ill: int
) -> None:
    """Nothing else need be answered in between: the probe is."""
    names = [f"ill{number}" for number in range(ill)]
    server.statuses = dict.fromkeys(names, status)
    async with server.client:
        for _ in range(3):
            assert await server.faults(*names) == [(code, ONE)] * ill
        assert await server.faults("healthy") == [None]


@pytest.mark.parametrize(("status", "code"), [(403, "CA-401"), (429, "CA-003")])
async def test_a_403_or_429_for_everything_is_the_upstreams_at_once(
    server: Server, status: int, code: str
) -> None:
    """No single request is taken for barred first: that would end its delivery."""
    server.statuses = {"*": status}
    async with server.client:
        assert await server.faults("a", "b") == [(code, ALL)] * 2
        server.statuses = {}
        assert await server.faults("a", "b") == [None] * 2


@pytest.mark.parametrize(("everything", "scope"), [("a", ONE), ("*", ALL)])
async def test_how_long_to_wait_is_told_to_the_one_or_to_all(
    server: Server, everything: str, scope: Scope
) -> None:
    """Longer than a request waits by itself: the probe is asked at once."""
    server.statuses, server.headers = {everything: 429}, {"Retry-After": "3600"}
    async with server.client:
        with pytest.raises(Transient) as caught:
            await server.client.look(("a",))
    assert (caught.value.scope, caught.value.retry_after) == (scope, 3600.0)
    assert server.asked == ["a", PROBE]


@pytest.mark.parametrize("status", [500, 501, 503, 599])
async def test_an_error_for_everything_is_an_outage_after_a_few(
    server: Server, status: int
) -> None:
    """Those that come first wait by themselves, as they would for an error of their own."""
    server.statuses = {"*": status}
    async with server.client:
        expected = [("CA-002", ONE)] * 2 + [("CA-002", ALL)] * 2
        assert await server.faults("a", "b", "c", "a") == expected


async def test_what_the_probe_meets_is_what_is_raised(server: Server) -> None:
    """It names the trouble of the upstream; the 403 alone does not."""
    server.statuses = {"a": 403, PROBE: 401}
    async with server.client:
        assert await server.faults("a") == [("CA-401", ALL)]
        server.statuses = {"a": 403, PROBE: 503}
        assert await server.faults("a") == [("CA-002", ALL)]


async def test_many_refusals_at_once_share_a_probe(server: Server) -> None:
    """They wait for its answer together."""
    names = [f"ill{number}" for number in range(10)]
    server.statuses = dict.fromkeys(names, 403)
    async with server.client:
        found = await asyncio.gather(*(fault(server.client, name) for name in names))
    assert found == [("CA-403", ONE)] * 10
    assert server.asked.count(PROBE) < 10


async def test_a_right_that_is_lost_ends_no_request_while_others_are_answered(
    place: Place,
) -> None:
    """The account may still see some things; a probe of several parts fails at one of them."""
    server = Server(place)

    async def probe() -> None:
        for part in ("information", "users"):
            await client.look((part,), of_all=True)

    client = place.probed(probe)
    names = [f"user{number}" for number in range(5)]
    server.statuses = dict.fromkeys([*names, "users"], 403)
    async with client:
        found = await asyncio.gather(*(fault(client, name) for name in [*names, "device"] * 3))
    assert Counter(found) == {("CA-401", ALL): 15, None: 3}


async def test_rights_that_come_back_meanwhile_end_no_request(server: Server) -> None:
    """What was refused before is not taken for barred because the probe after it is answered."""
    server.statuses = {"*": 403}
    async with server.client:
        assert await server.faults("a") == [("CA-401", ALL)]
        server.statuses = {"late": 403}
        assert await server.faults("late") == [("CA-401", ALL)]
        assert await server.faults("healthy", "late") == [None, ("CA-403", ONE)]


async def test_without_a_probe_different_resources_decide(place: Place) -> None:
    """An answer lifts the suspicion; a 403 is none as far as our rights are in doubt."""
    server = Server(place)
    server.statuses = {"a": 403, "b": 403, "c": 403, "x": 404}
    async with place.upstream() as upstream:
        for name in ("a", "b", "a", "x", "b", "a"):
            assert await fault(upstream, name) == (f"CA-{server.statuses[name]}", ONE)
        assert await fault(upstream, "c") == ("CA-401", ALL)
        assert await fault(upstream, "healthy") is None
        assert await fault(upstream, "c") == ("CA-403", ONE)


async def test_a_403_does_not_hide_that_a_server_works(place: Place) -> None:
    """It is an answer where errors are counted."""
    server = Server(place)
    server.statuses = {"a": 500, "b": 500, "barred": 403, "c": 500}
    async with place.upstream() as upstream:
        for name in ("a", "b", "barred", "c"):
            found = await fault(upstream, name)
            assert found is not None
            assert found[1] is ONE
