"""Uploading a user's set: whether its first byte may have left, and what became of it.

A status 2xx is success and a status 4xx the product's own clear refusal. Anything else leaves open
whether the set was taken.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from aiohttp import ClientResponse

from connector.core.errors import ConnectorError, Transient
from connector.upstream.answer import Answer
from connector.upstream.client import NOTHING, Upstream
from connector.upstream.faults import Kind
from connector.upstream.headers import reference, retry_after

PIECE = 64 * 1024
REDIRECTING = 3
FATE_UNKNOWN, FAILED = "UEM-002", "UEM-010"
NOT_OF_THE_UPLOAD = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Refusals that do not concern this upload but our login or the load."""
NO_ANSWERS = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""From a proxy in between that gave up: the product may still process the upload."""


async def upload(
    upstream: Upstream,
    method: str,
    path: Sequence[str],
    content: bytearray | memoryview,
    sending: Callable[[], None],
    *,
    headers: Mapping[str, str] = NOTHING,
) -> Answer:
    """Send a set, once, and always overwrite ``content`` afterwards.

    Args:
        upstream: where to.
        method: HTTP method.
        path: segments below the settings' address, as of :meth:`Upstream.request`.
        content: the body, which is sent without being copied.
        sending: called right before its first byte may leave
            (:meth:`connector.core.ports.Target.deliver`).
        headers: besides those of ``upstream``.

    Returns:
        A success, without its body, as the status is the answer; or a refusal (4xx) for the caller
        to judge, with its body where that could be read.

    Raises:
        Transient: ``UEM-002`` when the set may be there, ``UEM-010`` when the product answered that
            it failed. Before the first byte, and for 401, 403, 429 and redirects, what
            :meth:`Upstream.request` raises.
        Exception: what ``sending`` raised; nothing has left then.
    """
    body = _Body(content, sending)
    merged = {**headers, "Content-Length": str(len(content))}
    try:
        async with upstream.exchange(method, path, headers=merged, body=body.pieces()) as response:
            outcome = await _outcome(upstream, response)
    except ConnectorError as fault:
        raise body.meaning(fault) from None
    finally:
        content[:] = bytes(len(content))
    if isinstance(outcome, ConnectorError):
        raise outcome
    return outcome


class _Body:
    """A body on its way, and whether its first byte may have left."""

    def __init__(self, content: bytearray | memoryview, sending: Callable[[], None]) -> None:
        self._view = memoryview(content)
        self._sending = sending
        self._begun = False
        self._obstacle: Exception | None = None

    async def pieces(self) -> AsyncIterator[memoryview]:
        try:
            self._sending()
        except Exception as error:
            self._obstacle = error  # the client library wraps what a body raises
            raise
        self._begun = True
        for start in range(0, len(self._view), PIECE):
            yield self._view[start : start + PIECE]

    def meaning(self, fault: ConnectorError) -> Exception:
        """What a fault of the connection means for the upload."""
        if self._obstacle is not None:
            return self._obstacle
        return Transient(FATE_UNKNOWN, f"uploading: {fault.detail}") if self._begun else fault


async def _outcome(upstream: Upstream, response: ClientResponse) -> Answer | ConnectorError:
    """What became of an upload that was answered."""
    status, headers = response.status, response.headers
    if status // 100 == REDIRECTING or status in NOT_OF_THE_UPLOAD:
        return await upstream.failure(status, headers, response.url)
    detail = f"uploading: answered {status}{reference(headers)}"
    if status in NO_ANSWERS:
        return Transient(FATE_UNKNOWN, detail, retry_after=retry_after(headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient(FAILED, detail, retry_after=retry_after(headers))
    if status >= HTTPStatus.BAD_REQUEST:
        with suppress(ConnectorError):
            return await upstream.read(response)
    nonsense = partial(upstream.fault, Kind.NONSENSE)
    return Answer(status, headers, bytearray(), response.url, nonsense)
