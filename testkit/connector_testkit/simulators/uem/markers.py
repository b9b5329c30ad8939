"""What must be found nowhere else: traces of the secrets that the simulator received."""

from typing import Literal, TypedDict

from cryptography.hazmat.primitives.asymmetric import rsa

from connector_testkit.simulators.uem.records import Pair

SNIPPET = 48
"""Characters of a base64 snippet: long enough to be unique, short enough to survive folding."""


class Marker(TypedDict):
    """One trace. ``encoding`` says whether ``value`` is text or the bytes in hexadecimal."""

    kind: Literal["password", "payload", "key"]
    encoding: Literal["text", "hex"]
    value: str


class Markers:
    """Collects traces of received secrets, each once, in the order of their arrival."""

    def __init__(self) -> None:
        self._found: dict[str, Marker] = {}

    def upload(self, payload: str, password: str) -> None:
        """Keep the password, and snippets from three places of the base64 payload."""
        self._add({"kind": "password", "encoding": "text", "value": password})
        for part in (1, 2, 3):
            start = len(payload) * part // 4 // 4 * 4
            snippet = payload[start : start + SNIPPET]
            self._add({"kind": "payload", "encoding": "text", "value": snippet})

    def pair(self, pair: Pair) -> None:
        """Keep the secret numbers of a private key: both RSA primes, or the EC scalar."""
        for number in _secret_numbers(pair):
            size = (number.bit_length() + 7) // 8
            self._add({"kind": "key", "encoding": "hex", "value": number.to_bytes(size).hex()})

    def all(self) -> list[Marker]:
        """Every trace so far."""
        return list(self._found.values())

    def clear(self) -> None:
        """Forget them."""
        self._found.clear()

    def _add(self, marker: Marker) -> None:
        if marker["value"]:
            self._found.setdefault(marker["value"], marker)


def _secret_numbers(pair: Pair) -> tuple[int, ...]:
    numbers = pair.key.private_numbers()
    if isinstance(numbers, rsa.RSAPrivateNumbers):
        return (numbers.p, numbers.q)
    return (numbers.private_value,)
