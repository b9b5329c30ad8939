"""The interface's own error object in an answer, in JSON or XML.

It is JSON or XML, with members that begin with a small or a capital letter. An HTML page comes from
a web server or proxy, and says nothing about the requested object.
"""

import re
from contextlib import suppress
from typing import NamedTuple

from defusedxml.ElementTree import ParseError, fromstring

from connector.core.errors import ConnectorError, Transient
from connector.integrations.workspace_one.members import Members
from connector.upstream import Answer
from connector.upstream.answer import BYTE_ORDER_MARK

NUMBER = re.compile(r"[0-9]{1,9}")
PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<(!doctype\s+)?html", re.IGNORECASE)
UUID = re.compile(r"[0-9A-Fa-f-]{36}")


class Refusal(NamedTuple):
    """The UEM's own numbers of an error, which its support asks for; empty where there are none."""

    number: str = ""
    activity: str = ""

    def __str__(self) -> str:
        """The numbers, ready to be added to a text."""
        number = f", error {self.number}" if self.number else ""
        return number + (f", activity {self.activity}" if self.activity else "")


def refusal_in(answer: Answer) -> Refusal:
    """The error object of an answer; an empty one when it has none. Its text is left alone."""
    error = _json(answer) or _xml(bytes(answer.body)) or Members({})
    number, activity = error.text("errorcode"), error.text("activityid")
    return Refusal(
        number if NUMBER.fullmatch(number) else "", activity if UUID.fullmatch(activity) else ""
    )


def is_page(answer: Answer) -> bool:
    """Whether it is an HTML page, such as one of a proxy that refuses a request.

    The UEM's own error object is none, also when it is sent as HTML.
    """
    if refusal_in(answer).number:
        return False
    html = answer.content_type in {"text/html", "application/xhtml+xml"}
    return html or PAGE.match(answer.body.removeprefix(BYTE_ORDER_MARK)) is not None


def somebody_elses(detail: str) -> Transient:
    """``UEM-011``: an answer that is not the UEM's own; to be raised."""
    return Transient("UEM-011", detail)


def _json(answer: Answer) -> Members | None:
    with suppress(ConnectorError):
        content = answer.json()
        return Members(content) if isinstance(content, dict) else None
    return None


def _xml(body: bytes) -> Members | None:
    try:
        root = fromstring(body)
    except (ParseError, ValueError, LookupError):  # defusedxml's are ValueErrors
        return None
    return Members({str(each.tag).rpartition("}")[2]: each.text for each in root.iter()})
