"""Types for what must never be seen: how we log in upstream, and what we carry.

Both types refuse to show themselves: no value in ``repr`` or ``str``, no pickling, no comparison
that could end up in an assertion message. ``KeyMaterial`` can be constructed only in a process that
was made for one hand-over (:func:`allow_key_material` is called there, once, after the process has
been locked down); everywhere else the constructor raises.
"""

from typing import Never, Self

from connector.core.errors import Permanent


class _Unshowable:
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


class Credential(_Unshowable):
    """A secret with which the connector logs in upstream (password, API key, webhook secret)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap ``value``, the secret in clear text."""
        self._value = value

    def reveal(self) -> str:
        """The clear text, for the one line that sends or compares it."""
        return self._value


class _Gate:
    """Whether this process may hold private keys. Closed unless opened by the hand-over child."""

    open = False


def allow_key_material() -> None:
    """Open the gate in this process. Only the hand-over child calls it."""
    _Gate.open = True


class KeyMaterial(_Unshowable):
    """Private-key bytes (PKCS#8, PKCS#12) or the password that opens them.

    Use as a context manager: the buffer is overwritten on exit. (Copies that a library made cannot
    be reached; the end of the process is the real wipe.)

    Raises:
        Permanent: ``KEY-900`` when constructed outside a hand-over process.
    """

    __slots__ = ("_buffer",)

    def __init__(self, value: bytes | bytearray) -> None:
        """Take a private copy of ``value``."""
        if not _Gate.open:
            raise Permanent("KEY-900", "constructing key material outside a hand-over process")
        self._buffer = bytearray(value)

    def reveal(self) -> bytearray:
        """The buffer itself, not a copy."""
        return self._buffer

    def wipe(self) -> None:
        """Overwrite the buffer with zeros and empty it."""
        self._buffer[:] = bytes(len(self._buffer))
        self._buffer.clear()

    def __len__(self) -> int:
        return len(self._buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()
