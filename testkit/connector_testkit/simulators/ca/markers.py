"""Pieces of every secret that this CA holds or received, for a search for leaks elsewhere.

Private numbers appear as 32 bytes from the middle of their big-endian form (files, DER) and of
their little-endian form (OpenSSL's memory on little-endian machines); PKCS#8 as a piece of its DER
bytes and as lines of its PEM form.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from connector_testkit.simulators.ca.commands import Markers
from connector_testkit.simulators.ca.keys import PrivateKey
from connector_testkit.simulators.ca.registry import Registry

PIECE = 32
MOST_PASSWORDS = 100_000


class Passwords:
    """The passwords that came with fetches, each once, the newest hundred thousand."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}

    def received(self, password: str) -> None:
        """Remember one."""
        self._seen[password] = None
        if len(self._seen) > MOST_PASSWORDS:
            del self._seen[next(iter(self._seen))]

    def __iter__(self) -> Iterator[str]:
        """All that are remembered."""
        return iter(self._seen)


def markers(registry: Registry, passwords: Passwords) -> Markers:
    """The pieces of all keys and all passwords."""
    binary: list[str] = []
    text: list[str] = list(passwords)
    for person in registry:
        for generation in person.generations:
            binary += [piece.hex() for piece in _pieces(generation.key)]
            text += _pem_lines(generation.key)
    return Markers(binary=tuple(binary), text=tuple(text))


def _pieces(key: PrivateKey) -> Iterator[bytes]:
    for number in _private_numbers(key):
        big = number.to_bytes((number.bit_length() + 7) // 8, "big")
        yield _middle(big)
        yield _middle(big[::-1])
    yield _middle(_pkcs8(key, serialization.Encoding.DER))


def _private_numbers(key: PrivateKey) -> tuple[int, ...]:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return numbers.p, numbers.q, numbers.d
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return (int.from_bytes(key.private_bytes_raw()),)
    return (key.private_numbers().private_value,)


def _middle(whole: bytes) -> bytes:
    start = max(0, (len(whole) - PIECE) // 2)
    return whole[start : start + PIECE]


def _pem_lines(key: PrivateKey) -> list[str]:
    """Two whole lines (64 characters each) from inside the private part of the PEM form."""
    lines = _pkcs8(key, serialization.Encoding.PEM).decode().splitlines()[1:-1]
    whole = [line for line in lines if len(line) == 64]  # noqa: PLR2004 - RFC 7468 section 2
    return whole[-2:]


def _pkcs8(key: PrivateKey, encoding: serialization.Encoding) -> bytes:
    return key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
