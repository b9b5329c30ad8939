"""Reading the JSON objects of the interface, which are spelled differently by release.

Names are compared in any case. A missing or ill-typed member counts as absent.
"""

from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_TEXT = 512
WRAPPERS = ("value", "id")


class Members:
    """One object: ``Members({"Id": {"Value": 12}}).identifier("id") == "12"``."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        """Take the object; of names that differ in case only the last one counts."""
        self._raw = {name.lower(): value for name, value in raw.items()}

    def text(self, *names: str) -> str:
        """The first of these members that is a text or a number, as text; else empty."""
        for name in names:
            if text := scalar(self._raw.get(name)):
                return text
        return ""

    def identifier(self, name: str) -> str:
        """A numeric id as decimal text; empty without one. Zero is no id.

        Seen are ``{"Value": 12}``, ``{"Id": {"Value": 12}}``, ``12`` and ``"12"``.
        """
        inner = self.inner(name)
        text = self.text(name) or inner.text(*WRAPPERS) or inner.inner("id").text("value")
        return str(int(text)) if is_number(text) and int(text) else ""

    def number(self, *names: str) -> int | None:
        """The first of these members that is a number or looks like one."""
        for name in names:
            text = scalar(self._raw.get(name))
            if is_number(text):
                return int(text)
        return None

    def inner(self, name: str) -> "Members":
        """The object in a member; an empty one if there is none."""
        value = self._raw.get(name)
        return Members(value) if isinstance(value, dict) else Members({})

    def objects(self, name: str) -> "list[Members] | None":
        """The objects of a list; None when the member is no list."""
        value = self._raw.get(name)
        if not isinstance(value, list):
            return None
        return [Members(each) for each in value if isinstance(each, dict)]

    def scalars(self) -> Iterator[tuple[str, str]]:
        """Name (lower case) and text of each member that is a text, number or truth value."""
        for name, value in self._raw.items():
            if text := scalar(value):
                yield name, text


def scalar(value: object) -> str:
    """A text, number or truth value as text, at most 512 characters; else empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value).strip()[:LONGEST_TEXT]
    return ""


def is_number(text: str) -> bool:
    """Whether it is a plain decimal number of at most 18 digits."""
    return text.isascii() and text.isdigit() and len(text) <= 18  # noqa: PLR2004 - fits 64 bits
