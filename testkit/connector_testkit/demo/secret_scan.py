"""Searching everything that was written for secrets that were planted.

A marker is a piece of a private key, of a PKCS#12, or a password. None may turn up in any file,
log, metric, answer, environment, argument list, nor in the memory of the service's own process.
"""

import base64
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path

from ahocorasick_rs import BytesAhoCorasick

PIECE = 1 << 20
UNTOUCHED = bytes(PIECE)
"""Memory that was never written to; about half of what a process with threads has."""
LEAST = 16
TRIPLE = 3
"""Base64 turns three bytes into four characters."""


def forms(marker: bytes) -> Iterator[bytes]:
    """The marker as it is, in hexadecimal, and in base64 wherever it may begin in a triple."""
    yield marker
    yield marker.hex().encode()
    yield marker.hex().upper().encode()
    for start in range(TRIPLE):
        whole = (len(marker) - start) // TRIPLE * TRIPLE
        yield base64.b64encode(marker[start : start + whole])


class Searcher:
    """Looks for any of many markers at once (Aho-Corasick, from a library)."""

    def __init__(self, markers: Iterable[bytes]) -> None:
        """Take the markers; those shorter than 16 bytes prove nothing and are refused.

        Raises:
            ValueError: a marker is too short.
        """
        wanted = sorted({form for marker in markers for form in forms(marker)})
        if any(len(form) < LEAST for form in wanted):
            raise ValueError("a marker is shorter than 16 bytes")
        self.count = len(wanted)
        self._overlap = max(map(len, wanted), default=LEAST) - 1
        self._automaton = BytesAhoCorasick(wanted)

    def hits(self, pieces: Iterable[bytes]) -> int:
        """How many markers a stream of bytes holds, also across its pieces."""
        found, rest = 0, b""
        for piece in pieces:
            found += len(self._automaton.find_matches_as_indexes(rest + piece))
            rest = (rest + piece)[-self._overlap :]
            found -= len(self._automaton.find_matches_as_indexes(rest))
        return found + len(self._automaton.find_matches_as_indexes(rest))

    def in_files(self, folder: Path, spare: Iterable[Path] = ()) -> dict[str, int]:
        """Hits by file below a folder, without those below ``spare``."""
        spared = tuple(spare)
        found = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(path.is_relative_to(other) for other in spared):
                count = self.hits(_pieces(path))
                if count:
                    found[str(path.relative_to(folder))] = count
        return found

    def in_process(self, pid: int) -> dict[str, int]:
        """Hits in environment, arguments and memory of a process of ours."""
        proc = Path("/proc") / str(pid)
        found = {name: self.hits(_pieces(proc / name)) for name in ("environ", "cmdline")}
        found["memory"] = self.hits(_memory(proc))
        return {name: count for name, count in found.items() if count}


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece


def _memory(proc: Path) -> Iterator[bytes]:
    """The readable, private memory of a process, region by region."""
    with (proc / "mem").open("rb", buffering=0) as memory:
        for line in (proc / "maps").read_text(encoding="ascii").splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in span.split("-"))
            yield from _region(memory, start, end)


def _region(memory: FileIO, start: int, end: int) -> Iterator[bytes]:
    for position in range(start, end, PIECE):
        try:
            memory.seek(position)
            piece = memory.read(min(PIECE, end - position))
        except OSError:
            return
        if piece != UNTOUCHED[: len(piece)]:
            yield piece
