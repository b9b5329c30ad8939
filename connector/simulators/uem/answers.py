"""How the REST interface answers: JSON, empty, or an error object with the product's numbers."""

from typing import Any, Self

import orjson
from aiohttp import web

HTML_NOT_FOUND = (
    "<!DOCTYPE html><html><head><title>The resource cannot be found.</title></head>"
    "<body><h1>Server Error in '/' Application.</h1></body></html>"
)


class ApiError(Exception):
    """A refusal: HTTP status, the product's error number, a text that echoes no input."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
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
    def throttled(cls) -> Self:
        """429; the number and the form of the body are assumed."""
        return cls(429, 1016, "The request limit has been exceeded")


def json_answer(value: Any, status: int = 200) -> web.Response:
    """A JSON body with the product's content type."""
    return web.Response(
        status=status,
        body=orjson.dumps(value),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def error_answer(error: ApiError, activity: str) -> web.Response:
    """The error object. ``activity`` is the UUID that goes into support tickets."""
    content = {"errorCode": error.code, "message": error.message, "activityId": activity}
    return json_answer(content, error.status)


def html_answer(status: int = 404) -> web.Response:
    """What the web server itself answers, for instance to a path that it does not know."""
    return web.Response(status=status, text=HTML_NOT_FOUND, content_type="text/html")


def page_or_nothing(content: dict[str, Any], member: str) -> web.Response:
    """A search's answer: 204 without a body when its list is empty."""
    return json_answer(content) if content[member] else web.Response(status=204)
