"""Conditions of the whole service that operators have to know about, worst first.

A condition stands as long as its cause does. It is shown at the top of ``status``, logged when it
begins and when it ends, and published as a metric by its code.
"""

from collections.abc import Iterable
from enum import StrEnum

from connector.core.model import Millis, Record


class Severity(StrEnum):
    """How bad it is, in order: work stops or evidence is at risk; a person is needed; good to know.

    The order of the members is the order in which conditions are shown.
    """

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


class Condition(Record):
    """One condition: its code in the catalogue, what is the case, since when, what to do."""

    severity: Severity
    code: str
    text: str
    since: Millis | None = None
    action: str


def worst_first(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Sort the worst first; of equal ones the oldest first, those without a time last."""
    order = list(Severity)
    return tuple(
        sorted(
            conditions,
            key=lambda one: (
                order.index(one.severity),
                one.since is None,
                one.since or 0,
                one.code,
                one.text,
            ),
        )
    )
