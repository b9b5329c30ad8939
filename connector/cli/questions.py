"""Questions to the service from what was typed, refused in the words of the command line."""

from typing import TypeVar

import typer
from pydantic import BaseModel, ValidationError

Q = TypeVar("Q", bound=BaseModel)

NEEDED = {
    "holder": "name the holder by key, id, user name, mail, device/ID or serial number",
    "name": "name the subject by key, id, user name, mail or delivery id",
    "code": "--code is written like UEM-400",
    "drop_generation": "--drop-generation takes 8 or more hexadecimal digits of a fingerprint",
    "reason": "--reason says why, in at most 512 characters",
    "person": "--person is the person at the CA, as identity show prints it",
    "agreeing": "--agreeing is the agreeing attribute, as identity show prints it",
    "place": "a dead letter is named PARTITION/POSITION",
    "places": "a dead letter is named PARTITION/POSITION",
    "head": "--head is 12 to 64 hexadecimal digits",
    "since": "--since is a time like 2026-11-21",
    "until": "--until is a time like 2026-11-21",
}
"""What a question wants of its members."""


def made(kind: type[Q], /, **given: object) -> Q:
    """A question.

    Raises:
        typer.BadParameter: what was typed does not fit.
    """
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        names = sorted({str(fault["loc"][0]) for fault in faults})
        text = "; ".join(NEEDED.get(name, f"{name} is not of the right kind") for name in names)
        raise typer.BadParameter(text) from None
