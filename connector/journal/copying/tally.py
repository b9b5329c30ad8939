"""Digests of unordered collections."""

import hashlib

_SIZE = 2**256


class Tally:
    """Counts things, and adds their SHA-256 digests modulo 2**256."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, thing: bytes) -> None:
        """Count one thing."""
        self.count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(thing).digest())) % _SIZE

    @property
    def digest(self) -> str:
        """64 hexadecimal digits; the same for the same things in any order."""
        return f"{self._sum:064x}"
