"""Times as Workspace ONE UEM writes them, in notifications and in its REST interface.

Shapes seen in recorded traffic, by release: ISO 8601 with no to seven fraction digits, with or
without a zone, with ``T`` or a space; month/day/year with 24 or 12 hours, or without a time; and
Microsoft's ``/Date(milliseconds)/``. Without a zone it is UTC.
"""

import re
from datetime import UTC, datetime

from connector.core.model import Millis, millis_of

LATEST: Millis = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_MICROSOFT = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/", re.ASCII)
_AMERICAN = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ([AP])M)?)?",
    re.ASCII | re.IGNORECASE,
)
_HOURS = 12


def read_time(text: str) -> Millis | None:
    """The moment that ``text`` names, cut to milliseconds.

    None when it is empty, of no known shape, or before 1970: releases write the year 1 where they
    know no time.
    """
    text = text.strip()
    moment = _microsoft(text) if text.startswith("/") else _calendar(text)
    return moment if moment is not None and 0 <= moment <= LATEST else None


def _microsoft(text: str) -> Millis | None:
    found = _MICROSOFT.fullmatch(text)
    return int(found[1]) if found else None


def _calendar(text: str) -> Millis | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = _american(text)
        if found is None:
            return None
        moment = found
    return millis_of(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _american(text: str) -> datetime | None:
    found = _AMERICAN.fullmatch(text)
    if found is None:
        return None
    month, day, year, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    half = (found[7] or "").upper()
    if half and not 1 <= hour <= _HOURS:
        return None
    if half:
        hour = hour % _HOURS + (_HOURS if half == "P" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
