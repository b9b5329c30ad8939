"""What the answer to an upload means: taken, refused, or nobody knows.

Only the status class 2xx is success; the call answers nothing else. A status 4xx is the UEM's own
clear refusal. Anything else leaves open whether the set was taken.
"""

from contextlib import suppress
from http import HTTPStatus

from aiohttp import ClientResponse

from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.ports import Delivered
from connector.integrations.workspace_one.api import Api
from connector.integrations.workspace_one.refusals import Refusal, refusal_in, somebody_elses
from connector.upstream.headers import reference, retry_after, server_time

OTHERS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
"""Refusals that do not concern this upload but our login, our rights or the load."""
NO_ANSWERS = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""From somebody in between who gave up: the UEM may be about the upload still."""


async def verdict(api: Api, response: ClientResponse) -> Delivered | ConnectorError:
    """What became of an upload that was answered."""
    status, headers = response.status, response.headers
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
        return Delivered(server_time=server_time(headers))
    if 300 <= status < 400:  # noqa: PLR2004 - RFC 9110 section 15.4
        return await api.failure(response)
    detail = f"uploading: answered {status}{reference(headers)}"
    if status in NO_ANSWERS:
        return unknown(detail, retry_after(headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient("UEM-010", detail, retry_after=retry_after(headers))
    if status in OTHERS:
        return await api.failure(response)
    return await _refused(api, response)


def unknown(detail: str, wait: float | None = None) -> Transient:
    """``UEM-002``: the set may or may not be there; to be raised."""
    return Transient("UEM-002", detail, retry_after=wait)


async def _refused(api: Api, response: ClientResponse) -> ConnectorError:
    """The refusal with the UEM's own numbers; never its text."""
    refusal = Refusal()
    with suppress(ConnectorError):
        refusal = refusal_in(await api.read(response))
    detail = f"uploading: refused with {response.status}{refusal}{reference(response.headers)}"
    if response.status != HTTPStatus.NOT_FOUND:
        return Permanent("UEM-400", detail)
    return Permanent("UEM-404", detail) if refusal.number else somebody_elses(detail)
