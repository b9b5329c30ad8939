"""All connections of the listener: who may open one, and how many there are."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web

from connector.core.metric_definitions import WEBHOOK_CONNECTIONS
from connector.core.metrics import Metrics
from connector.sources.admission import Admission, Room
from connector.sources.answers import last_words
from connector.sources.client_address import Networks, is_within
from connector.sources.connection import Connection
from connector.sources.tenants import Limits

LINGER = 2.0
"""Seconds for which the rest of a refused body is read and dropped, so that the answer arrives."""

READ_AHEAD = 16 * 1024
"""Bytes of a body that are read before they are asked for: all that an unauthenticated caller
can make us hold, per connection (aiohttp's own default is 256 KiB)."""

HEADS = 2
"""How many of the largest header fields all headers of a caller who is not known yet may fill."""


class Connections(web.Server):
    """Makes connections, counts them, and refuses those beyond the limits or not allowed.

    Args:
        handler: answers one request.
        limits: how much a connection may send, and how many there may be.
        peers: the only networks that may connect, or None for all.
        metrics: where the number of connections is reported.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        limits: Limits,
        peers: Networks | None,
        metrics: Metrics,
    ) -> None:
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
        self.head = HEADS * limits.header
        self.patience = limits.idle
        room = Room(limits.connections, limits.per_address, limits.stranger_bytes)
        self.admission = Admission(room, metrics)
        self._peers = peers
        self._metrics = metrics

    def __call__(self) -> web.RequestHandler:
        """A new connection, of our kind."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def refusal(self, connection: Connection, transport: asyncio.Transport) -> bytes | None:
        """None to admit a connection, else the answer before it is closed."""
        peer = transport.get_extra_info("peername")
        address = peer[0] if peer else ""
        is_proxy = self._peers is not None
        if self._peers is not None and not is_within(address, self._peers):
            return b""
        if self.admission.enter(connection, address, is_proxy=is_proxy):
            return None
        return last_words("EVT-003")

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count one more."""
        super().connection_made(handler, transport)
        self._metrics.gauge(WEBHOOK_CONNECTIONS, len(self.admission))

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Count one less."""
        super().connection_lost(handler, exc)
        self.admission.leave(cast("Connection", handler))
        self._metrics.gauge(WEBHOOK_CONNECTIONS, len(self.admission))
