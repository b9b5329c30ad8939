"""Times as UEM releases write them, all of which were seen in recorded traffic.

ISO 8601 with 0 to 7 fraction digits, with or without a zone; with a space for the ``T``; US style
with 24 or 12 hours; and ``/Date(ms)/`` of old releases.
"""

import re
from datetime import UTC, datetime, timedelta

from connector.core.model import Millis

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LATEST: Millis = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_MICROSOFT = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/", re.ASCII)
_US_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")


def read_time(text: str) -> Millis | None:
    """The moment that ``text`` names, fractions cut to milliseconds, no zone meaning UTC.

    None when it is empty, of no known shape, or before 1970 (old releases write the year 1 where
    they know no time).
    """
    text = text.strip()
    moment = _microsoft(text) if text.startswith("/") else _calendar(text)
    return moment if moment is not None and 0 < moment <= LATEST else None


def _microsoft(text: str) -> Millis | None:
    match = _MICROSOFT.fullmatch(text)
    return int(match[1]) if match else None


def _calendar(text: str) -> Millis | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = _american(text)
        if found is None:
            return None
        moment = found
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MILLISECOND


def _american(text: str) -> datetime | None:
    for shape in _US_FORMATS:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
