"""A command line that cannot be understood, as a refusal with a code, in words of our own."""

import re
from typing import Any, cast

from typer.exceptions import TyperException

from connector.core.errors import Rejected

READABLE = (
    (r"^Value error, ", ""),
    (r"^Input should be greater than or equal to ", "must be at least "),
    (r"^Input should be less than or equal to ", "must be at most "),
    (r"^Input should be a valid integer.*", "must be a whole number"),
    (r"^Input should be a valid number.*", "must be a number"),
    (r"^Input should be ", "must be "),
    (r"does not match the formats? .*", "is not a time like 2026-11-21 or 2026-11-21T08:00:00Z"),
)
"""What the libraries for command lines say, and what it means to a person."""


def asks_for_help(error: TyperException) -> bool:
    """Whether the error is the help of a command that was called without one of its own."""
    context = cast("Any", getattr(error, "ctx", None))
    return context is not None and error.message == context.get_help()


def refusal(error: TyperException) -> Rejected:
    """``EVT-007`` with what is wrong with which argument."""
    for pattern, words in READABLE:
        error.message = re.sub(pattern, words, error.message)
    return Rejected("EVT-007", error.format_message().rstrip("."))
