"""The settings as they take effect: each value with where it came from, secrets masked."""

from collections.abc import Iterator
from typing import Any

from connector.core.model import Record
from connector.settings.load import Checked
from connector.settings.report import Path, dotted
from connector.settings.secrecy import looks_secret

MASK = "•••"


class Effective(Record):
    """One value in force. ``source``: ``file:line``, a variable, or ``default``."""

    setting: str
    value: str
    source: str


def effective(checked: Checked) -> list[Effective]:
    """All values of good settings. Of a secret there is only its file's path to be seen."""
    if checked.settings is None:
        return []
    return [
        Effective(
            setting=dotted(path), value=shown_value(path, value), source=_source(checked, path)
        )
        for path, value in leaves(checked.settings.model_dump(mode="json"), ())
    ]


def leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value of settings (as ``model_dump``) below ``path``, with its own path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def shown_value(path: Path, value: Any) -> str:
    """A value as people read it; one that may be a secret is masked."""
    if value is not None and looks_secret(str(path[-1])):
        return MASK
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(str, value)) or "empty"
        case {}:
            return "empty"
        case _:
            return str(value)


def _source(checked: Checked, path: Path) -> str:
    """The nearest place that set it; a value inside of a given list stands where the list does."""
    if place := checked.places.get(path):
        return place
    parent = path[:-1]
    given_whole = isinstance(path[-1], int) or checked.places.get(parent, "").startswith("env")
    return checked.places.get(parent, "default") if given_whole else "default"
