"""One connection: who may open it, and what it hears when it speaks no HTTP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from connector.core.metrics import IntakeMetrics
from connector.intake.answers import last_words, problem
from connector.intake.client_address import Networks, is_within
from connector.intake.tenants import Limits

_log = logging.getLogger(__name__)

BAD_REQUEST = 400
LINGER = 2.0
"""Seconds for which the rest of a refused body is read and dropped, so that the answer arrives."""

READ_AHEAD = 16 * 1024
"""Bytes of a body that are read before anybody asks for it: all that a caller who is not known yet
can make us hold, per connection (aiohttp's own default is 256 KiB)."""


class Connection(web.RequestHandler):
    """aiohttp's connection, with admission at its begin and problem JSON for its errors."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or close it."""
        listener = cast("Connections", self._manager)
        refusal = listener.refusal(transport)
        if refusal is None:
            super().connection_made(transport)
            return
        stream = cast("asyncio.Transport", transport)
        stream.write(refusal)
        stream.close()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - nothing of it is answered or logged
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds the sender's bytes
    ) -> web.StreamResponse:
        """Answer without a word of the request; log the error's class only."""
        if isinstance(exc, ConnectionError):
            raise exc
        if isinstance(exc, LineTooLong):
            code = "EVT-002"
        elif status == BAD_REQUEST:
            code = "EVT-007"
        else:
            code = "EVT-010"
            _log.error("intake.error", extra={"error_code": code, "error": type(exc).__name__})
        answer = problem(code)
        answer.force_close()
        return answer


class Connections(web.Server):
    """Makes connections, counts them, and refuses those that are too many or not let in.

    Args:
        handler: answers one request.
        limits: how much a connection may send, and how many there may be.
        peers: the only networks that may connect, or None for everybody.
        metrics: where the number of connections is reported.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        limits: Limits,
        peers: Networks | None,
        metrics: IntakeMetrics,
    ) -> None:
        """Prepare; nothing listens yet."""
        super().__init__(
            handler,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.idle,
            lingering_time=LINGER,
            max_line_size=limits.header,
            max_field_size=limits.header,
            max_headers=limits.header_fields,
            read_bufsize=READ_AHEAD,
        )
        self._most = limits.connections
        self._peers = peers
        self._metrics = metrics

    def __call__(self) -> web.RequestHandler:
        """A new connection, of our kind."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def refusal(self, transport: asyncio.BaseTransport) -> bytes | None:
        """None to let a connection in, else what it is told before it is closed."""
        if self._peers is not None:
            peer = transport.get_extra_info("peername")
            if not is_within(peer[0] if peer else "", self._peers):
                return b""
        return last_words("EVT-003") if len(self.connections) >= self._most else None

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count one more."""
        super().connection_made(handler, transport)
        self._metrics.connections(len(self.connections))

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count one less."""
        super().connection_lost(handler, exc)
        self._metrics.connections(len(self.connections))
