"""Read bodies, with limits for size, time, and the sum of all bodies."""

import asyncio

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from connector.core.errors import Rejected, Transient

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Bodies:
    """The bodies of one kind of sender.

    Args:
        limit: largest body, bytes.
        in_flight: bytes that all running requests may hold together.
        seconds: time within which a body must have arrived.
    """

    def __init__(self, limit: int, in_flight: int, seconds: float) -> None:
        self._limit = limit
        self._free = in_flight
        self._seconds = seconds

    def reserve(self, request: web.BaseRequest) -> int:
        """Reserve room for a body before it is read; a chunked one counts with the maximum.

        Returns:
            How much was taken, bytes, to be given back by :meth:`release` when the request ends.

        Raises:
            Rejected: ``EVT-002`` when it says that it is too large, ``EVT-004`` when compressed.
            Transient: ``EVT-003`` when too much is being read already.
        """
        if hdrs.CONTENT_ENCODING in request.headers:
            raise Rejected("EVT-004", "reading a compressed body")
        size = request.content_length
        if size is None:
            size = self._limit
        if size > self._limit:
            raise Rejected("EVT-002", "reading a body")
        if size > self._free:
            raise Transient("EVT-003", "reading a body", retry_after=1)
        self._free -= size
        return size

    def release(self, size: int) -> None:
        """Give room back."""
        self._free += size

    async def read(self, request: web.BaseRequest) -> bytes:
        """Read a body for which room was reserved.

        Raises:
            Rejected: ``EVT-001`` malformed transfer coding, ``EVT-002`` larger than allowed,
                ``EVT-009`` too slow.
        """
        content = request.content
        try:
            body = content.read_nowait() if content.is_eof() else await self._dribble(request)
        except TimeoutError:
            raise Rejected("EVT-009", "reading a body") from None
        except (web.RequestPayloadError, HttpProcessingError):
            raise Rejected("EVT-001", "reading a body") from None
        if len(body) > self._limit:
            raise Rejected("EVT-002", "reading a body")
        return body

    async def _dribble(self, request: web.BaseRequest) -> bytes:
        parts = bytearray()
        async with asyncio.timeout(self._seconds):
            if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                await request.writer.write(CONTINUE)
                request.writer.output_size = 0  # the answer itself has not begun
            while len(parts) <= self._limit and (part := await request.content.readany()):
                parts += part
        return bytes(parts)
