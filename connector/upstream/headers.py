"""Reading the headers of an answer: its time, and how long we were asked to wait."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from connector.core.model import Millis

LONGEST_WAIT = 3600.0
"""Longest wait at once that an upstream can ask for: an hour; then it is asked again."""
DIGITS = 12
PLAIN_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


def server_time(headers: Mapping[str, str]) -> Millis | None:
    """The ``Date`` header (RFC 9110 section 6.6.1, whole seconds); None if missing or invalid."""
    seconds = _http_date(headers.get("Date", ""))
    return None if seconds is None else int(seconds * 1000)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asked to wait, at most an hour; None when it did not say.

    ``Retry-After`` (RFC 9110 section 10.2.3) holds seconds or a date, which is read against the
    answer's own ``Date``, as our clocks may differ. Without it, a used up ``X-RateLimit-Remaining``
    makes ``X-RateLimit-Reset`` (seconds since the epoch) the date. Invalid values are ignored.
    """
    value = headers.get("Retry-After", "").strip()
    if value:
        return _capped(float(value)) if _is_number(value) else _until(headers, _http_date(value))
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if headers.get("X-RateLimit-Remaining", "").strip() == "0" and _is_number(reset):
        return _until(headers, float(reset))
    return None


class Budget(NamedTuple):
    """How many requests are left, of how many in all, and seconds until the next window."""

    left: int
    of: int | None
    seconds: float | None


def budget(headers: Mapping[str, str]) -> Budget | None:
    """What the upstream says of its budget (``X-RateLimit-…``); the time is an hour at most."""
    left, of, reset = (
        headers.get(f"X-RateLimit-{name}", "").strip() for name in ("Remaining", "Limit", "Reset")
    )
    if not _is_number(left):
        return None
    seconds = _until(headers, float(reset)) if _is_number(reset) else None
    return Budget(int(left), int(of) if _is_number(of) else None, seconds)


def reference(headers: Mapping[str, str]) -> str:
    """The reference by which the server's operators find the request; empty if there is none."""
    found = headers.get("X-Correlation-Id", headers.get("X-Request-Id", ""))
    return f", correlation {found}" if PLAIN_ID.fullmatch(found) else ""


def _until(headers: Mapping[str, str], seconds: float | None) -> float | None:
    now = _http_date(headers.get("Date", ""))
    if seconds is None or now is None or seconds < now:
        return None
    return _capped(seconds - now)


def _capped(seconds: float) -> float:
    return min(seconds, LONGEST_WAIT)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= DIGITS


def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
