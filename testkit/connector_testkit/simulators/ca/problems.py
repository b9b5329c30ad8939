"""Refusals of the escrow API as RFC 9457 problem JSON with the contract's stable codes."""

from http import HTTPStatus

import orjson
from aiohttp import web

STATUS = {
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "not_authenticated": HTTPStatus.UNAUTHORIZED,
    "client_not_allowed": HTTPStatus.FORBIDDEN,
    "person_not_allowed": HTTPStatus.FORBIDDEN,
    "person_unknown": HTTPStatus.NOT_FOUND,
    "generation_unknown": HTTPStatus.NOT_FOUND,
    "request_unknown": HTTPStatus.NOT_FOUND,
    "request_conflict": HTTPStatus.CONFLICT,
    "request_not_granted": HTTPStatus.CONFLICT,
    "request_already_fetched": HTTPStatus.CONFLICT,
    "generation_revoked": HTTPStatus.CONFLICT,
    "not_recoverable": HTTPStatus.CONFLICT,
}


class Refusal(Exception):
    """The API refuses with one of the codes of :data:`STATUS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def problem(status: int, code: str, retry_after: str | None = None) -> web.Response:
    """A problem document; ``retry_after`` becomes the header as it is."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return web.Response(
        status=status,
        body=orjson.dumps({**body, "code": code}),
        content_type="application/problem+json",
        headers=headers,
    )


def refused(refusal: Refusal) -> web.Response:
    """The answer for a refusal."""
    return problem(STATUS[refusal.code], refusal.code)
