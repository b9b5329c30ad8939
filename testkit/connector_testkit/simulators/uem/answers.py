"""How the REST interface answers: JSON, empty, or an error object with the product's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self
from xml.sax.saxutils import escape

import orjson
from aiohttp import web

HTML_NOT_FOUND = (
    "<!DOCTYPE html><html><head><title>The resource cannot be found.</title></head>"
    "<body><h1>Server Error in '/' Application.</h1></body></html>"
)


class ApiError(Exception):
    """A refusal: HTTP status, the product's error number, a text that echoes no input."""

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        super().__init__(message)

    @classmethod
    def wrong_credentials(cls) -> Self:
        """401 with number 1005."""
        text = "An error occurred while validating remote service client credentials"
        return cls(401, 1005, f"{text} or user not found")

    @classmethod
    def wrong_tenant(cls) -> Self:
        """403 with number 1013."""
        return cls(403, 1013, "The API key does not belong to an organization group")

    @classmethod
    def no_device(cls) -> Self:
        """404 with number 5061."""
        return cls(404, 5061, "Device not found")

    @classmethod
    def invalid(cls, message: str, status: int = 400) -> Self:
        """A refused input; the number is assumed."""
        return cls(status, 1000, message)

    @classmethod
    def throttled(cls, retry_after: int | None = None) -> Self:
        """429; the number and the form of the body are assumed."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls(429, 1016, "The request limit has been exceeded", headers)


def json_answer(value: Any, status: int = 200) -> web.Response:
    """A JSON body with the product's content type."""
    return web.Response(
        status=status,
        body=orjson.dumps(value),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


ErrorFormat = Literal["json", "xml", "html"]
ErrorMembers = Literal["errorCode", "ErrorCode"]


@dataclass(frozen=True)
class ErrorWriter:
    """Writes error objects in one of the ways that were seen or may be met.

    The form of the XML is assumed: the same members, the root as in the product's other XML.
    """

    form: ErrorFormat = "json"
    members: ErrorMembers = "errorCode"

    def answer(self, error: ApiError, activity: str) -> web.Response:
        """The error object. ``activity`` is the UUID that goes into support tickets."""
        if self.form == "html":
            return html_answer(error.status)
        content = {"errorCode": error.code, "message": error.message, "activityId": activity}
        if self.members == "ErrorCode":
            content = {name[0].upper() + name[1:]: value for name, value in content.items()}
        answer = json_answer(content) if self.form == "json" else _xml_answer(content)
        answer.set_status(error.status)
        answer.headers.update(error.headers)
        return answer


def _xml_answer(content: Mapping[str, object]) -> web.Response:
    members = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in content.items())
    head = '<?xml version="1.0" encoding="utf-8"?>'
    body = f'{head}<AirWatchFaultContract xmlns="http://www.air-watch.com/faultcontracts">{members}'
    return web.Response(
        body=f"{body}</AirWatchFaultContract>".encode(),
        headers={"Content-Type": "application/xml; charset=utf-8"},
    )


def html_answer(status: int = 404) -> web.Response:
    """What the web server itself answers, for instance to a path that it does not know."""
    return web.Response(status=status, text=HTML_NOT_FOUND, content_type="text/html")


def page_or_nothing(content: dict[str, Any], member: str) -> web.Response:
    """A search's answer: 204 without a body when its list is empty."""
    return json_answer(content) if content[member] else web.Response(status=204)
