"""One notification of Workspace ONE as its members, from JSON or XML, however it is encoded.

A malformed optional member must not lose an enrolment, since the sender does not repeat: type and
device must be valid, everything else becomes empty if it is not. Users choose the names of phones.
"""

import json
from typing import Annotated, Any, Final

from defusedxml.ElementTree import ParseError, fromstring
from pydantic import BeforeValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from connector.core.errors import Rejected
from connector.decoding import (
    XML_TYPES,
    MediaType,
    UnknownEncodingError,
    is_listed,
    text_of_json,
    text_of_xml,
)

ROOT = "Eventlog"
LARGEST_ID = 2**63
SHORT = 512
Number = (
    Annotated[int, Strict(), Field(ge=-(2**31), lt=2**63)] | Annotated[str, Field(max_length=64)]
)
Short = Annotated[str, Field(max_length=SHORT)]


class Notice(TypedDict, total=False):
    """The members of a notification that are used; all others are ignored."""

    __pydantic_config__ = ConfigDict(extra="ignore")  # type: ignore[misc]

    EventId: Number | None
    EventType: Short | None
    DeviceId: Number | None
    EventTime: Short | None
    Platform: Short | None


def _hint(value: object) -> str:
    """Empty where it is not what it should be."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        value = str(value) if abs(value) < LARGEST_ID else ""
    text = value.strip()
    return text if len(text) <= SHORT and text.isprintable() else ""


Hint = Annotated[str, BeforeValidator(_hint)]


class OddNotice(TypedDict, total=False):
    """A notice in which optional members may be malformed."""

    __pydantic_config__ = ConfigDict(extra="ignore")  # type: ignore[misc]

    EventId: Number | None
    EventType: Short | None
    DeviceId: Number | None
    EventTime: Hint
    Platform: Hint


# The validators themselves: their wrappers cost as much again, and this runs for every request.
_notice: Final = TypeAdapter(Notice).validator
_odd_notice: Final = TypeAdapter(OddNotice).validator


def read_notice(body: bytes, kind: MediaType) -> Notice:
    """The members of a notification.

    Args:
        body: one JSON or XML object.
        kind: JSON or XML, and perhaps the encoding.

    Raises:
        Rejected: ``EVT-001`` when it cannot be read, ``EVT-004`` in an encoding that is not
            supported.
    """
    try:
        return _read(body, kind)
    except UnknownEncodingError:
        raise Rejected("EVT-004", "reading a notification: unsupported encoding") from None


def _read(body: bytes, kind: MediaType) -> Notice:
    if kind.name in XML_TYPES:
        return _read_xml(text_of_xml(body, kind.charset, "replace"))
    if is_listed(kind.charset):
        try:
            notice: Notice = _notice.validate_json(body)
        except ValidationError:
            return _read_odd_json(body, kind.charset)
        return notice
    return _read_odd_json(body, kind.charset)


def _read_odd_json(body: bytes, charset: str) -> Notice:
    """Parse what the fast reader refuses, because optional members may be malformed.

    A byte order mark, another encoding, half of a character at the end of a name that was cut.
    """
    text = text_of_json(body, charset, "replace")
    try:
        members: Any = json.loads(text)
        notice: Notice = _odd_notice.validate_python(members)
    except (ValueError, RecursionError):  # ValidationError is a ValueError
        raise Rejected("EVT-001", "reading a notification as JSON") from None
    return notice


def _read_xml(text: str) -> Notice:
    try:
        root = fromstring(text, forbid_dtd=True)
        if _local(root.tag) != ROOT:
            raise Rejected("EVT-001", "reading a notification as XML: another root element")
        members = {_local(member.tag): member.text or "" for member in root}
        notice: Notice = _odd_notice.validate_python(members)
    except (ParseError, ValueError):  # a ValueError is what pydantic and defusedxml raise
        raise Rejected("EVT-001", "reading a notification as XML") from None
    return notice


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
