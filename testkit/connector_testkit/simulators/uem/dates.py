"""Dates as the product writes them. It has several shapes, and a client must read them all."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

NEVER = datetime(1, 1, 1, tzinfo=UTC)


def _milliseconds(moment: datetime) -> str:
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}"


def _sevenths(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}3Z"


def _fifths(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 10:05}Z"


def _offset(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}0+00:00"


def _spaced(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _american(moment: datetime) -> str:
    return f"{moment:%m/%d/%Y %H:%M:%S}"


def _american_noon(moment: datetime) -> str:
    hour = moment.hour % 12 or 12
    half = "PM" if moment.hour >= 12 else "AM"  # noqa: PLR2004 - noon
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"


def microsoft(moment: datetime) -> str:
    """The shape of old releases: milliseconds since the epoch."""
    return f"/Date({int(moment.timestamp() * 1000)})/"


def expiry(moment: datetime) -> str:
    """The shape of a device certificate's ``ExpiresOn``: month/day/year, no zone."""
    return f"{moment.month}/{moment.day}/{moment.year} {moment:%H:%M:%S}"


SHAPES = (_milliseconds, _sevenths, _fifths, _offset, _spaced, _american, _american_noon, microsoft)


class DateWriter:
    """Writes UTC times, in the usual shape or, when ``mixed`` says so, in one that dice choose."""

    def __init__(self, dice: random.Random, mixed: Callable[[], bool]) -> None:
        self._dice = dice
        self._mixed = mixed

    def api(self, moment: datetime) -> str:
        """A date in an answer of the API; usually without zone, with milliseconds."""
        if moment != NEVER and self._mixed():
            return self._dice.choice(SHAPES)(moment)
        return _milliseconds(moment)

    def event(self, moment: datetime) -> str:
        """A date in an event notification: UTC, with seven fraction digits (or five)."""
        if self._mixed():
            return self._dice.choice((_sevenths, _fifths))(moment)
        return _sevenths(moment)
