"""Times of certificates, as UTCTime and GeneralizedTime have been written.

RFC 5280 section 4.1.2.5 wants seconds and ``Z``, and no fractions; X.680 allows more, and
certificates have it.
"""

import re
from datetime import UTC, datetime, timedelta

from connector.certificates.der import UNIVERSAL, Element

UTC_TIME, GENERALIZED_TIME = 23, 24
CENTURY_TURNS = 50
_CLOCK = (
    r"(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?:[.,]\d+)?"
    r"(?:Z|(?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)?)?"
)
_FORMS = {
    UTC_TIME: re.compile(rf"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d){_CLOCK}"),
    GENERALIZED_TIME: re.compile(rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d){_CLOCK}"),
}


def moment(element: Element) -> datetime:
    """The moment that an element names; fractions of seconds are cut, no zone means UTC.

    Raises:
        ValueError: when it is no time.
    """
    pattern = _FORMS.get(element.tag) if element.kind == UNIVERSAL else None
    form = pattern.fullmatch(element.content.decode("ascii").strip()) if pattern else None
    if form is None:
        raise ValueError("expecting a time")
    year = int(form["year"])
    if element.tag == UTC_TIME:
        year += 1900 if year >= CENTURY_TURNS else 2000
    day = datetime(year, int(form["month"]), int(form["day"]), tzinfo=UTC)
    clock = timedelta(
        hours=int(form["hour"]), minutes=int(form["minute"] or 0), seconds=int(form["second"] or 0)
    )
    return day + clock - _offset(form)


def _offset(form: re.Match[str]) -> timedelta:
    size = timedelta(hours=int(form["hours"] or 0), minutes=int(form["minutes"] or 0))
    return -size if form["sign"] == "-" else size
