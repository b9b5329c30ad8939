"""The connections of the port for probes and metrics: how many, and how long without a request.

Anyone who reaches the port may ask, so no caller is known from another. A new connection always
finds a place, because a probe that is not answered restarts the process.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

MOST = 64
"""Open connections; at the limit the oldest one without a request makes room, or the oldest."""
FIRST_REQUEST = 5.0
"""Seconds that the head of a first request may take."""
IDLE = 15.0
"""Seconds between two requests of one connection."""
LONGEST_HEAD = 4096
"""Bytes of the request line, and of each header."""


class Connections(web.Server):
    """Makes connections, and closes those that take a place for too long."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        most: int = MOST,
        first_request: float = FIRST_REQUEST,
    ) -> None:
        """``handler`` answers one request."""
        super().__init__(
            self._asked,
            access_log=None,
            keepalive_timeout=IDLE,
            max_line_size=LONGEST_HEAD,
            max_field_size=LONGEST_HEAD,
        )
        self._answer = handler
        self._most = most
        self._first_request = first_request
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        self._served: dict[web.RequestHandler, asyncio.Transport] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Admit it; at the limit another one ends."""
        super().connection_made(handler, transport)
        if len(self._served) >= self._most:
            oldest = next(iter(self._silent or self._served))
            self._served[oldest].abort()
            self._left(oldest)
        self._served[handler] = transport
        self._silent[handler] = self._loop.call_later(self._first_request, transport.abort)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """It has ended."""
        super().connection_lost(handler, exc)
        self._left(handler)

    async def _asked(self, request: web.BaseRequest) -> web.StreamResponse:
        if (timer := self._silent.pop(request.protocol, None)) is not None:
            timer.cancel()
        return await self._answer(request)

    def _left(self, handler: web.RequestHandler) -> None:
        self._served.pop(handler, None)
        if (timer := self._silent.pop(handler, None)) is not None:
            timer.cancel()
