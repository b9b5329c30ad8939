"""Answers: prebuilt bytes for the usual ones, problem JSON (RFC 9457) for refusals.

A problem carries the stable code and the catalogue's words, nothing of what was sent.
"""

from functools import cache
from http import HTTPStatus

import orjson
from aiohttp import hdrs, web
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion11

from connector.catalogue import catalogue
from connector.core.errors import Family

PROBLEM = "application/problem+json"
RETRY_AFTER = 5
"""Seconds a sender is asked to wait where the fault itself names none."""

RETRYABLE = frozenset({429, 503})


class Ready(web.StreamResponse):
    """An empty response whose head is ready as bytes but for the date.

    Not assembling headers saves a quarter of a request's time. It is right for HTTP/1.1 with
    keep-alive only; :func:`empty` falls back to an ordinary response for everything else.
    """

    @property
    def keep_alive(self) -> bool:
        """Always: the head says nothing else."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write everything at once."""
        head = _head(self.status, self.reason)
        await request.writer.write(b"%s%s\r\n\r\n" % (head, rfc822_formatted_time().encode()))

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written by :meth:`prepare`."""


@cache
def _head(status: int, reason: str) -> bytes:
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nDate: ".encode()


def empty(request: web.BaseRequest, status: int) -> web.StreamResponse:
    """An answer without a body; ``status`` is none that forbids ``Content-Length``."""
    if request.version == HttpVersion11 and request.keep_alive:
        return Ready(status=status)
    return web.Response(status=status)


def problem(
    code: str, *, retry_after: float | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    """The response for a code of the catalogue.

    Args:
        code: ``AREA-NNN``.
        retry_after: whole seconds to wait, for 429 and 503.
        headers: more headers (``WWW-Authenticate``, ``Allow``).
    """
    status, body = _problem(code)
    response = web.Response(status=status, body=body, headers=headers, content_type=PROBLEM)
    if status in RETRYABLE:
        response.headers[hdrs.RETRY_AFTER] = str(int(retry_after or RETRY_AFTER))
    return response


@cache
def last_words(code: str) -> bytes:
    """The same as bytes, for a connection that is closed before it has sent a request."""
    status, body = _problem(code)
    wait = f"Retry-After: {RETRY_AFTER}\r\n" if status in RETRYABLE else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {PROBLEM}\r\n"
        f"Content-Length: {len(body)}\r\n{wait}Connection: close\r\n\r\n"
    )
    return head.encode() + body


@cache
def _problem(code: str) -> tuple[int, bytes]:
    entry = catalogue()[code]
    status = entry.http or 500
    members = {
        "type": f"urn:pki-connector:error:{code}",
        "title": entry.title,
        "status": status,
        "detail": entry.cause,
        "code": code,
        "retryable": status in RETRYABLE or entry.family is Family.TRANSIENT,
    }
    return status, orjson.dumps(members)
