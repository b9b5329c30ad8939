"""Notices of a CA about its certificates (Standard Webhooks 1.0 payload).

::

    {"type": "certificates.renewed", "timestamp": "2026-03-05T09:13:59Z",
     "data": {"person": "m.muster", "fingerprint": "<lower-case hexadecimal SHA-256>"}}
"""

import json
import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from connector.core.errors import Rejected
from connector.core.events import CertificatesChanged, Event, event_id
from connector.core.model import Millis, Sha256Hex, SubjectKind, millis_of, subject_key
from connector.decoding import UnknownEncodingError, text_of_json
from connector.sources.authentication import VerifiedNotification

What = Literal["issued", "renewed", "revoked"]
LABEL = "ca"
"""Who said it: in events and metrics."""

PREFIX = "certificates."
LEAP_SECOND = re.compile(r"(.{10}[Tt ]..:..):60(.*)", re.ASCII)


def _leap(value: object, read: ValidatorFunctionWrapHandler) -> datetime:
    """RFC 3339 section 5.6 has the second 60, which Python's calendar has not."""
    found = LEAP_SECOND.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        moment: datetime = read(value)
        return moment
    before: datetime = read(f"{found[1]}:59{found[2]}")
    try:
        return before + timedelta(seconds=1)
    except OverflowError:
        raise ValueError("later than the year 9999") from None


class _Tolerant(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Concerned(_Tolerant):
    """The person whose certificates changed, by their name at the CA, and perhaps which one."""

    person: Annotated[str, Field(min_length=1, max_length=256)]
    fingerprint: Sha256Hex | None = None


class Kind(_Tolerant):
    """The members that payloads of every type have."""

    type: Annotated[str, Field(max_length=128)]


class Notice(Kind):
    """A payload of a type that we understand."""

    timestamp: Annotated[AwareDatetime, WrapValidator(_leap)]
    data: Concerned


def normalise(notification: VerifiedNotification, now: Millis) -> Event | None:
    """The event in a signed notification, or None if it is not used.

    Args:
        notification: one JSON object; its signed id names the event, so a repeat changes nothing.
        now: our time, for ``received_at``.

    Raises:
        Rejected: ``EVT-001`` when it is not what the dialect prescribes, ``EVT-004`` in an
            encoding that is not supported.
    """
    try:
        members = _members(notification)
        what = _what(Kind.model_validate(members).type)
        if what is None:
            return None
        notice = Notice.model_validate(members)
        return Event(
            id=event_id(notification.tenant, "ca", notification.signed_id),
            tenant=notification.tenant,
            subject=subject_key(notification.tenant, SubjectKind.PERSON, notice.data.person),
            source=LABEL,
            occurred_at=min(millis_of(notice.timestamp), now),
            received_at=now,
            body=CertificatesChanged(what=what, fingerprint=notice.data.fingerprint),
        )
    except ValidationError:
        raise Rejected("EVT-001", "reading a CA's notification") from None


def _members(notification: VerifiedNotification) -> Any:
    try:
        return json.loads(text_of_json(notification.body, notification.kind.charset))
    except UnknownEncodingError:
        raise Rejected("EVT-004", "reading a CA's notification: unsupported encoding") from None
    except (ValueError, RecursionError):
        raise Rejected("EVT-001", "reading a CA's notification") from None


def _what(kind: str) -> What | None:
    return next((what for what in get_args(What) if kind == PREFIX + what), None)
