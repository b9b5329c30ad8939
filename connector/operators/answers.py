"""Answers to operators: records as JSON, faults as problem JSON (RFC 9457)."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import BaseModel, ValidationError

from connector.catalogue import catalogue
from connector.core.errors import ConnectorError, Family, Rejected

PROBLEM = "application/problem+json"
STATUS = {Family.REJECTED: 400, Family.TRANSIENT: 503, Family.PERMANENT: 500}
WRONG = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "pattern": "does not have the prescribed form",
    "too_long": "is too long",
    "too_short": "is too short",
    "greater_than": "is too small",
    "less_than": "is too large",
    "union_tag": "names nothing that exists",
    "literal": "names nothing that exists",
    "enum": "names nothing that exists",
}
"""What the library's kinds of errors mean, by a part of their names."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(BaseModel):
    """A refusal: the catalogue's words, and what concerns this request."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    action: str


def answer(record: BaseModel) -> web.Response:
    """A record as JSON."""
    return web.Response(text=record.model_dump_json(by_alias=True), content_type="application/json")


def problem(error: ConnectorError) -> web.Response:
    """A fault as problem JSON, with the catalogue's status or that of its family."""
    entry = catalogue()[error.code]
    status = entry.http or STATUS[error.family]
    record = Problem(
        type=f"urn:pki-connector:error:{error.code}",
        title=entry.title,
        status=status,
        detail=error.detail or entry.cause,
        code=error.code,
        retryable=error.family is Family.TRANSIENT,
        action=entry.action,
    )
    return web.Response(status=status, text=record.model_dump_json(), content_type=PROBLEM)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal of a request into problem JSON; no input is repeated."""
    try:
        return await handler(request)
    except ConnectorError as error:
        return problem(error)
    except ValidationError as error:
        return problem(Rejected("EVT-007", _faulty(error)))
    except web.HTTPRequestEntityTooLarge:
        return problem(Rejected("EVT-002"))
    except web.HTTPException as error:
        return problem(Rejected("EVT-006", f"{error.status} {error.reason}"))


def _faulty(error: ValidationError) -> str:
    """Which members are invalid, and how; without messages, because some repeat input."""
    faults = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'the request'} {_wrong(fault['type'])}"
        for fault in faults
    )


def _wrong(kind: str) -> str:
    return next((words for part, words in WRONG.items() if part in kind), "is not valid")
