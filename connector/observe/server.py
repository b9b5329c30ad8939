"""Probes and metrics over plain HTTP, on a port of their own."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self, cast

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from connector.core.errors import Permanent
from connector.observe.connections import Connections
from connector.observe.health import Health

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

OK, NOT_FOUND, NOT_ALLOWED, UNAVAILABLE = 200, 404, 405, 503
READS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
STOP = 2.0


class ObserveServer:
    """Serves ``/livez``, ``/readyz``, ``/startupz`` and ``/metrics`` while its context is open.

    A probe answers 200 or 503; with ``?verbose`` it lists its checks, one a line, and parts that
    may fail while the rest goes on.

    Args:
        host: interface to listen on.
        port: TCP port; 0 takes a free one.
        health: what the probes ask.
        registry: what is published.
    """

    def __init__(self, host: str, port: int, health: Health, registry: CollectorRegistry) -> None:
        self._host = host
        self._wanted = port
        self._pages: dict[str, Handler] = {
            "/livez": _probe(health.live),
            "/readyz": _probe(health.ready, health.parts),
            "/startupz": _probe(health.started),
            "/metrics": cast("Handler", make_aiohttp_handler(registry)),
        }
        self._runner = web.ServerRunner(Connections(self._answer), shutdown_timeout=STOP)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        port: int = self._runner.addresses[0][1]
        return port

    async def __aenter__(self) -> Self:
        """Bind and listen.

        Raises:
            Permanent: ``SRV-001`` when the address cannot be listened on.
        """
        async with AsyncExitStack() as stack:
            await self._runner.setup()
            stack.push_async_callback(self._runner.cleanup)
            try:
                await web.TCPSite(self._runner, self._host, self._wanted).start()
            except OSError as error:
                raise Permanent("SRV-001", f"listening for probes: {error.strerror}") from error
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port and every connection."""
        await self._stack.__aexit__(kind, error, trace)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        if page is None:
            return web.Response(status=NOT_FOUND)
        if request.method not in READS:
            return web.Response(status=NOT_ALLOWED, headers={hdrs.ALLOW: ", ".join(sorted(READS))})
        return await page(request)


def _probe(
    look: Callable[[], dict[str, bool]], parts: Callable[[], dict[str, bool]] = dict
) -> Handler:
    async def probe(request: web.BaseRequest) -> web.StreamResponse:
        checks = look()
        shown = checks | parts()
        lines = [f"[{'+' if holds else '-'}] {name}" for name, holds in shown.items()]
        text = "\n".join(lines) if "verbose" in request.query else _summary(checks)
        status = OK if all(checks.values()) else UNAVAILABLE
        return web.Response(status=status, text=f"{text}\n", headers={"Cache-Control": "no-store"})

    return probe


def _summary(checks: dict[str, bool]) -> str:
    return "ok" if all(checks.values()) else "failed"
