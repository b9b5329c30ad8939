"""Reading the dates of the interface. It writes them in several shapes; none names another zone.

Shapes seen: ISO 8601 with no to seven fraction digits, with or without zone, with ``T`` or a space;
month/day/year with 24 or 12 hours; Microsoft's ``/Date(milliseconds)/``. Without a zone it is UTC.
"""

import re
from datetime import UTC, datetime

from connector.core.model import Millis

MICROSOFT = re.compile(r"/Date\((-?\d{1,14})(?:[+-]\d{4})?\)/", re.ASCII)
AMERICAN = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ([AP])M)?)?",
    re.ASCII | re.IGNORECASE,
)


def read_date(text: str) -> Millis | None:
    """A date as milliseconds; None when it is none, or the year 1 that stands for "never"."""
    if found := MICROSOFT.fullmatch(text):
        return _since_1970(int(found.group(1)))
    try:
        found = AMERICAN.fullmatch(text)
        moment = _american(found) if found else datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _since_1970(int(moment.timestamp() * 1000))
    except (ValueError, OverflowError):
        return None


def _since_1970(millis: int) -> Millis | None:
    return millis if millis >= 0 else None


def _american(found: re.Match[str]) -> datetime:
    month, day, year, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    half = (found.group(7) or "").upper()
    if half:
        if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock with two halves
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if half == "P" else 0)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
