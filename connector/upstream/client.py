"""One upstream: sends requests, reads answers within limits, and maps failures to faults."""

import asyncio
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Self

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from connector.core.errors import ConnectorError, Permanent
from connector.core.ports import RequestPermits
from connector.core.upstream import UpstreamSettings
from connector.upstream.answer import Answer
from connector.upstream.faults import (
    CAUGHT,
    Codes,
    Kind,
    fault,
    kind_of,
    kind_of_status,
    misconfigured,
    peer_of,
    told,
)
from connector.upstream.headers import budget, reference, retry_after
from connector.upstream.limit import RequestLimit
from connector.upstream.outage_detector import OutageDetector
from connector.upstream.repeat import Sleep, repeated
from connector.upstream.session import open_session, resource
from connector.upstream.throttling import Patience

Body = bytes | bytearray | AsyncIterable[bytes | memoryview] | None
NOTHING: Mapping[str, str] = {}
CHUNK = 64 * 1024
SUCCESS = 2
ASKING_TO_WAIT = 429
"""Statuses from here on may say when to come back (RFC 9110 section 10.2.3, RFC 6585)."""


class Upstream:
    """A CA or a UEM over HTTP. Used as ``async with upstream:``; closing twice is harmless.

    Args:
        name: its name in the settings; faults of the whole upstream carry ``ca:NAME`` or
            ``uem:NAME``.
        settings: address, TLS, proxy, limits.
        codes: :data:`~connector.upstream.CA` or :data:`~connector.upstream.UEM`.
        permits: awaited before each request; without them there is no limit.
        probe: asks for something that is no subject's (``of_all``) and needs the same rights, to
            find out whether what one request met concerns all. Without it the number of different
            requests that met it decides.
        sleep: pauses between the tries of ``look``, seconds.

    Entering it raises ``Permanent`` ``CFG-003`` when a TLS file is unusable.
    """

    def __init__(
        self,
        name: str,
        settings: UpstreamSettings,
        codes: Codes,
        permits: RequestPermits | None = None,
        *,
        probe: Callable[[], Awaitable[None]] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._name = name
        self._settings = settings
        self._codes = codes
        self._permits = permits or RequestLimit()
        self._sleep = sleep
        self._session: ClientSession | None = None
        self._outages = OutageDetector(probe)

    def __repr__(self) -> str:
        """Its name only."""
        return f"<Upstream {self._codes.prefix}:{self._name}>"

    async def __aenter__(self) -> Self:
        if self._session is None:
            try:
                self._session = open_session(self._settings)
            except Permanent as error:
                raise self.misconfigured(error.detail) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def fault(self, kind: Kind, detail: str, *, retry_after: float | None = None) -> ConnectorError:
        """The exception for a failure of this upstream, for the caller to raise."""
        return fault(self._codes, self._name, kind, detail, retry_after=retry_after)

    def misconfigured(self, detail: str) -> ConnectorError:
        """``CFG-003`` of the whole upstream, for a file that cannot be used; to be raised."""
        return misconfigured(self._codes, self._name, detail)

    def status_fault(
        self, status: int, headers: Mapping[str, str], kind: Kind | None = None
    ) -> ConnectorError:
        """The exception for a status that is no success, with the wait that it asks for."""
        kind = kind or kind_of_status(status)
        wait = retry_after(headers) if status >= ASKING_TO_WAIT else None
        detail = f"answering {status}{reference(headers)}"
        return self.fault(kind, detail, retry_after=wait)

    async def failure(self, status: int, headers: Mapping[str, str], url: URL) -> ConnectorError:
        """As :meth:`status_fault`, with the scope that it has after all that failed before.

        For answers that an adapter judges, and finds to say no more than their status. Where the
        probe meets a fault of the whole upstream, it is that fault.
        """
        try:
            kind = await self._outages.judged(kind_of_status(status), str(url))
        except ConnectorError as fault:
            return fault
        return self.status_fault(status, headers, kind)

    async def look(
        self,
        path: Sequence[str],
        *,
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        judged: Collection[int] = (),
        of_all: bool = False,
    ) -> Answer:
        """GET something; broken connections and 502, 503, 504 are tried again within 5 s.

        Arguments and what is raised: as :meth:`request`. ``of_all``: what is asked for is no single
        subject's, so that a failure of it is one of the whole upstream.
        """
        url = self._url(path, query)
        async with self._mapped("GET", url, of_all=of_all):
            once = partial(self._answer, "GET", url, headers)
            answer = await self._patience().answered(partial(self._repeated, once))
        return await self._judge(answer, judged, of_all=of_all)

    async def request(
        self,
        method: str,
        path: Sequence[str],
        *,
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        body: Body = None,
        judged: Collection[int] = (),
    ) -> Answer:
        """Send one request, and read the whole answer.

        It is sent once, and again only where it was not done: the upstream asked to wait.

        Args:
            method: HTTP method.
            path: segments below the settings' address, in clear text; each is encoded by itself.
            query: names and values in clear text.
            headers: besides the ones of the constructor.
            body: whole, or in pieces (then give ``Content-Length``). It is sent as it is.
            judged: statuses besides 2xx that the caller judges by itself, like 404.

        Raises:
            Transient: not reachable, TLS: of the whole upstream; 429: of the one request, unless
                ``probe`` meets one, too; no answer in time, 5xx: of the one request, until many
                different ones have it.
            Permanent: 401: of the whole upstream; 403: of the one request, unless ``probe`` is
                refused, too; anything else: of the one request.
        """
        url = self._url(path, query)
        async with self._mapped(method, url):
            once = partial(self._answer, method, url, headers, body)
            again = body is None or isinstance(body, bytes | bytearray)
            answer = await (self._patience().answered(once) if again else once())
        return await self._judge(answer, judged)

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        path: Sequence[str],
        *,
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        body: Body = None,
    ) -> AsyncIterator[ClientResponse]:
        """Send one request, once, and give the response as soon as its headers are there.

        For callers to whom the status is the answer; no status raises. Connection faults are
        raised as by :meth:`request`.
        """
        url = self._url(path, query)
        async with self._mapped(method, url):
            await self._permits.take()
            async with self._send(method, url, headers, body) as response:
                yield response

    async def read(self, response: ClientResponse) -> Answer:
        """The whole answer of an :meth:`exchange`, within the limits of size and time.

        Raises:
            Permanent: the area's "answers too much".
            Transient: the answer does not end in time.
        """
        limit = self._settings.response_limit
        body = bytearray()
        try:
            if (response.content_length or 0) <= limit:
                async for chunk in response.content.iter_chunked(CHUNK):
                    body += chunk
                    if len(body) > limit:
                        break
        except TimeoutError:
            raise self.fault(Kind.STALLED, "reading an answer: not ended in time") from None
        if len(body) > limit or (response.content_length or 0) > limit:
            response.close()
            raise self.fault(Kind.TOO_MUCH, f"reading an answer of more than {limit} bytes")
        nonsense = partial(self.fault, Kind.NONSENSE)
        return Answer(response.status, response.headers, body, response.url, nonsense)

    def _url(self, path: Sequence[str], query: Mapping[str, str]) -> URL:
        try:
            return resource(self._settings.address, path, query)
        except ValueError as error:
            raise self.fault(Kind.UNKNOWN, f"addressing a resource: {error}") from None

    def _send(
        self, method: str, url: URL, headers: Mapping[str, str], body: Body = None
    ) -> AbstractAsyncContextManager[ClientResponse]:
        if self._session is None:
            raise RuntimeError("using an upstream that is not open")
        return self._session.request(method, url, headers=headers, data=body, allow_redirects=False)

    async def _answer(
        self, method: str, url: URL, headers: Mapping[str, str], body: Body = None
    ) -> Answer:
        await self._permits.take()
        async with self._send(method, url, headers, body) as response:
            answer = await self.read(response)
        self._permits.answered(answer.server_time)
        told = budget(answer.headers)
        if told is not None:
            self._permits.left(*told)
        return answer

    async def _repeated(self, once: Callable[[], Awaitable[Answer]]) -> Answer:
        return await repeated(self._name, once, self._sleep)

    def _patience(self) -> Patience:
        return Patience(self._settings.throttle_wait, self._permits, self._sleep)

    async def _judge(
        self, answer: Answer, judged: Collection[int], *, of_all: bool = False
    ) -> Answer:
        """The answer if it is a success, or the caller's to judge."""
        if not of_all:
            self._outages.answered(answer.status)
        if answer.status // 100 != SUCCESS and answer.status not in judged:
            kind, resource = kind_of_status(answer.status), str(answer.url)
            kind = await self._outages.judged(kind, resource, of_all=of_all)
            raise self.status_fault(answer.status, answer.headers, kind)
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self.fault(Kind.NONSENSE, "reading an answer: compressed without request")
        return answer

    @asynccontextmanager
    async def _mapped(self, method: str, url: URL, *, of_all: bool = False) -> AsyncIterator[None]:
        """Turn the library's exceptions into ours, without their texts, which may name people."""
        try:
            yield
        except CAUGHT as error:
            detail = f"asking {peer_of(error, url)} with {method}: {told(error)}"
            kind = await self._outages.judged(kind_of(error), str(url), of_all=of_all)
            raise self.fault(kind, detail) from None
