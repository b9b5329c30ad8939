"""Bring times of a record back to a bound."""

from typing import TypeVar

from connector.core.model import Millis, Record

R = TypeVar("R", bound=Record)


def no_later(record: R, bound: Millis, *names: str) -> R:
    """The record with each of these times at the bound if it was later.

    A time that is None stays None. The same record, if none was later.
    """
    later = [name for name in names if (getattr(record, name) or bound) > bound]
    return record.model_copy(update=dict.fromkeys(later, bound)) if later else record
