"""Private keys and the passwords that open them, in a process for one hand-over only.

:func:`allow_key_material` is called there, once, after the process has been locked down; everywhere
else the constructor raises.
"""

from typing import Self

from connector.core.errors import Permanent
from connector.core.secret import Unshowable


class _Gate:
    """Whether this process may hold private keys: only after :func:`allow_key_material`."""

    open = False


def allow_key_material() -> None:
    """Allow key material in this process. Only the hand-over child calls this."""
    _Gate.open = True


class KeyMaterial(Unshowable):
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
