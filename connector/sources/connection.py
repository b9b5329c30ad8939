"""One connection: limits on what it sends, answers to invalid HTTP, and a hard end."""

import asyncio
import logging
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import StreamReader

from connector.sources.admission import Admission
from connector.sources.answers import last_words, problem

_log = logging.getLogger(__name__)

BAD_REQUEST = 400
HARD_END = 2.0
"""Seconds that a peer has to take the last bytes and say goodbye, before the connection is cut."""


class Host(Protocol):
    """What a connection needs of the listener: admission, limits, allowed peers."""

    admission: Admission
    head: int
    patience: float

    def refusal(self, connection: "Connection", transport: asyncio.Transport) -> bytes | None:
        """None to admit a connection, else the answer before it is closed."""
        ...


class Connection(web.RequestHandler):
    """aiohttp's connection, with admission at its begin, problem JSON for its errors, a hard end.

    It counts as a stranger's until :meth:`let_in`.
    """

    __slots__ = ("_content", "_last", "_listener", "_was_asked", "is_stranger")

    def __init__(self, listener: Host, *args: object, **kwargs: object) -> None:
        super().__init__(listener, *args, **kwargs)  # type: ignore[arg-type]
        self._listener = listener
        self.is_stranger = True
        self._was_asked = False
        self._content: StreamReader | None = None
        self._last: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit it, or close it."""
        stream = cast("asyncio.Transport", transport)
        refusal = self._listener.refusal(self, stream)
        if refusal is None:
            super().connection_made(stream)
            return
        stream.write(refusal)
        stream.close()
        self._cut_in(HARD_END, stream)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It has ended."""
        super().connection_lost(exc)
        self._go_on()
        self._content = None

    def let_in(self) -> None:
        """The caller has authenticated."""
        if self.is_stranger:
            self.is_stranger = False
            self._listener.admission.let_in(self)

    def drop(self) -> None:
        """Close it at once, because the place is needed for another connection."""
        if self.transport is not None:
            self.transport.abort()

    def outlives(self, *, is_challenge: bool) -> bool:
        """Whether it stays open after a refusal: for a known caller, and once for a challenge."""
        if not self.is_stranger:
            return True
        stays = is_challenge and not self._was_asked
        self._was_asked = True
        self._listener.admission.release(self)
        return stays

    def has_room_for(self, request: web.BaseRequest) -> bool:
        """Whether all headers together are no larger than a caller may send before they are known.

        Those of known callers are limited one by one, and not asked for here.
        """
        return sum(len(n) + len(v) for n, v in request.raw_headers) <= self._listener.head

    def data_received(self, data: bytes) -> None:
        """Count bytes of strangers, except bodies, which are counted where they are read."""
        super().data_received(data)
        if not self.is_stranger or self._force_close:
            return
        if self._messages:  # at least one head was completed by these bytes
            self._content = self._messages[-1][1]
            self._listener.admission.hold(self, min(len(data), self._listener.head))
        elif self._content is None or self._content.is_eof():
            self._hold_half_a_head(len(data))

    def _hold_half_a_head(self, size: int) -> None:
        admission = self._listener.admission
        admission.hold(self, min(size, self._listener.head + 1))
        if admission.held(self) > self._listener.head and self.transport is not None:
            self.transport.write(last_words("EVT-002"))
            self.force_close()

    def pause_writing(self) -> None:
        """The peer does not read the answer: the limit for silent peers applies."""
        super().pause_writing()
        self._cut_in(self._listener.patience, self.transport)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._go_on()

    async def start(self) -> None:
        """Serve; after the last answer the peer has a short time to close."""
        await super().start()
        self._cut_in(HARD_END, self.transport)

    def force_close(self) -> None:
        """Close; a peer that does not complete the close in time is cut off."""
        transport = self.transport
        super().force_close()
        self._cut_in(HARD_END, transport)

    def _cut_in(self, seconds: float, transport: asyncio.Transport | None) -> None:
        self._go_on()
        if transport is not None:
            self._last = self._loop.call_later(seconds, transport.abort)

    def _go_on(self) -> None:
        if self._last is not None:
            self._last.cancel()
            self._last = None

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - nothing of it is answered or logged
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds the sender's bytes
    ) -> web.StreamResponse:
        """Answer without content of the request; log the error's class only."""
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


def connection_of(request: web.BaseRequest) -> Connection:
    """The connection that a request came over."""
    protocol: Any = request.protocol
    return protocol  # type: ignore[no-any-return]
