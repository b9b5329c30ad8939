"""What the machine does alone, between the rounds: the rulers that must not stretch."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

DRIFT = 0.15
LOADS = 7
SYNCS = 400
TURNS = 9
SPINS = 4000
_DOCUMENT = {"EventId": 148, "DeviceId": 1, "EventTime": "2026-01-01T00:00:00Z", "more": ["x"] * 20}
_KEY = generate_private_key(65537, 2048).private_bytes(
    Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
)


class Rulers:
    """Plain Python work, loading an RSA key, syncing the disk: those of them that matter."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """``folder`` is on the disk that the journals are on."""
        self._take = {name: _RULERS[name] for name in names}
        self._folder = folder

    def read(self) -> Mapping[str, float]:
        """One reading: seconds by the name of the ruler."""
        return {name: take(self._folder) for name, take in self._take.items()}


def _spin() -> float:
    begin = time.perf_counter()
    for _ in range(SPINS):
        json.loads(json.dumps(_DOCUMENT))
    return time.perf_counter() - begin


def key_load_seconds() -> float:
    """Time to load one RSA-2048 key with its full check."""
    taken = []
    for _ in range(LOADS):
        begin = time.perf_counter()
        load_der_private_key(_KEY, None)
        taken.append(time.perf_counter() - begin)
    return median(taken)


def sync_seconds(folder: Path, count: int = SYNCS) -> list[float]:
    """Times of bare ``fdatasync`` calls after 4 KiB each."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(count):
            os.write(file.fileno(), bytes(4096))
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begin)
    return taken


_RULERS: dict[str, Callable[[Path], float]] = {
    "python_seconds": lambda _: median(_spin() for _ in range(TURNS)),
    "rsa_load_seconds": lambda _: key_load_seconds(),
    "fdatasync_seconds": lambda folder: median(sync_seconds(folder)),
}


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return sorted(values)[int(len(values) * 0.99)]
