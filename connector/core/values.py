"""Kinds of values that operators write: durations, names, sections.

A duration is a number with its unit (``500ms``, ``3s``, ``48h``, ``14d``, ``1h30m``) or ISO 8601
without months and years (``PT48H``, ``P14D``). A bare number is refused, so that readers need not
guess whether ``retention: 24`` means hours or seconds.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from connector.core.model import Millis

_PARTS = {unit: f"[0-9]{{1,15}}{unit}" for unit in "WDHMS"}
_TIME = "T({H}({M})?({S})?|{M}({S})?|{S})".format(**_PARTS)
_PERIOD = "P({W}({D})?({T})?|{D}({T})?|{T})".format(**_PARTS, T=_TIME)
DURATION_PATTERN = f"^(([0-9]{{1,15}}(ms|s|m|h|d|w))+|{_PERIOD})$"
"""Without look-ahead, so that validators of other languages can use the schema, too."""
LONGEST = timedelta(days=36_500)
UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


def parse_duration(value: object) -> object:
    """Parse a duration as operators write it; a :class:`timedelta` is returned unchanged.

    Raises:
        ValueError: when it is no duration with a unit, or longer than a hundred years.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(DURATION_PATTERN, value):
        raise ValueError("must be a duration with its unit, such as 30s, 48h, 14d or PT48H")
    tokens = re.findall(r"([0-9]+)(ms|[a-z])", value.lower().replace("t", ""))
    if sum(int(number) * UNITS[unit] // UNITS["ms"] for number, unit in tokens) > millis(LONGEST):
        raise ValueError("must not be longer than a hundred years")
    return sum((int(number) * UNITS[unit] for number, unit in tokens), timedelta())


def render_duration(value: timedelta) -> str:
    """The shortest text that :func:`parse_duration` reads back to the same value."""
    if not value:
        return "0s"
    for unit, size in UNITS.items():
        if not value % size:
            return f"{value // size}{unit}"
    return f"{millis(value)}ms"


def millis(value: timedelta) -> Millis:
    """Whole milliseconds, the unit of the core."""
    return value // timedelta(milliseconds=1)


Duration = Annotated[
    timedelta,
    Field(ge=timedelta()),
    BeforeValidator(parse_duration),
    PlainSerializer(render_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
"""A duration of zero or more."""

Period = Annotated[Duration, Field(gt=timedelta())]
"""A duration of more than nothing."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Name of an upstream or a route: lower case, so that a variable's name can stand for it."""

ProfileId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    StringConstraints(min_length=1, max_length=128),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 128}),
]
"""Id of a profile in the UEM; a number is taken as its text."""


class Section(BaseModel):
    """A part of the settings: frozen, refuses unknown members, documents each one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
