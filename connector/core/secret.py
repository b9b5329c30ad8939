"""Secrets that a process may hold: how we log in upstream, and what callers prove.

Their values are never shown: not in ``repr`` or ``str``, no pickling, no comparison that
could end up in an assertion message. The keys that are delivered have another type,
:class:`connector.core.key_material.KeyMaterial`.
"""

from typing import Never


class Unshowable:
    """Holds a value that must not be shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __reduce__(self) -> Never:
        msg = f"{type(self).__name__} cannot be serialised"
        raise TypeError(msg)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class Credential(Unshowable):
    """A secret with which the connector logs in upstream (password, API key, webhook secret)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap ``value``, the secret in clear text."""
        self._value = value

    def reveal(self) -> str:
        """The clear text, for the one line that sends or compares it."""
        return self._value
