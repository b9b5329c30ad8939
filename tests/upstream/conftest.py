"""A real TLS server on loopback whose handler a test chooses, and a client that trusts it."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connector.core.upstream import UpstreamSettings
from connector.upstream import CA, RequestLimit, Upstream
from connector.upstream.outage_detector import Probe
from connector_testkit.simulators.tls import TlsFiles, issue_tls

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    """Time that passes only by sleeping, and at once; ``slept`` lists how long."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept.append(seconds)


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return issue_tls(tmp_path_factory.mktemp("tls"), client="connector")


def server_context(tls: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    return context


class Place:
    """A server whose answers come from ``handler``, with the requests that it saw."""

    def __init__(self, tls: TlsFiles) -> None:
        self.tls = tls
        self.clock = Clock()
        self.permits = RequestLimit(monotonic=self.clock.monotonic, sleep=self.clock.sleep)
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.handler: Handler = self.nothing
        self.context = server_context(tls)
        self.server: TestServer | None = None

    async def nothing(self, _request: web.Request) -> web.StreamResponse:
        return web.Response()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        return await self.handler(request)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.handle)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server(ssl=self.context)

    def settings(self, **changes: object) -> UpstreamSettings:
        assert self.server is not None
        return UpstreamSettings.model_validate(
            {"address": f"https://127.0.0.1:{self.server.port}/base", "ca_file": self.tls.ca}
            | changes
        )

    def upstream(self, **changes: object) -> Upstream:
        return Upstream("corp", self.settings(**changes), CA, self.permits, sleep=self.clock.sleep)

    def probed(self, probe: Probe) -> Upstream:
        sleep = self.clock.sleep
        return Upstream("corp", self.settings(), CA, self.permits, probe=probe, sleep=sleep)


@pytest.fixture
async def place(tls: TlsFiles) -> AsyncIterator[Place]:
    place = Place(tls)
    await place.start()
    yield place
    assert place.server is not None
    await place.server.close()
