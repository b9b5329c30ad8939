"""Probes and metrics over plain HTTP, on a port of their own."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from connector.core.errors import Permanent
from connector.observe.health import Health

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OK, UNAVAILABLE = 200, 503
IDLE = 15.0
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
        app = web.Application()
        app.router.add_get("/livez", _probe(health.live))
        app.router.add_get("/readyz", _probe(health.ready, health.parts))
        app.router.add_get("/startupz", _probe(health.started))
        app.router.add_get("/metrics", make_aiohttp_handler(registry))
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=IDLE, shutdown_timeout=STOP
        )

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


def _probe(
    look: Callable[[], dict[str, bool]], parts: Callable[[], dict[str, bool]] = dict
) -> Handler:
    async def probe(request: web.Request) -> web.StreamResponse:
        checks = look()
        shown = checks | parts()
        lines = [f"[{'+' if holds else '-'}] {name}" for name, holds in shown.items()]
        text = "\n".join(lines) if "verbose" in request.query else _summary(checks)
        status = OK if all(checks.values()) else UNAVAILABLE
        return web.Response(status=status, text=f"{text}\n", headers={"Cache-Control": "no-store"})

    return probe


def _summary(checks: dict[str, bool]) -> str:
    return "ok" if all(checks.values()) else "failed"
