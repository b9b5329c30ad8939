"""What the simulator saw and did, as numbered entries that a test can compare and wait for."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

Kind = Literal[
    "request",
    "upload",
    "refused_upload",
    "install",
    "installed",
    "purge",
    "webhook",
    "enrol",
    "unenrol",
]
Entry = dict[str, Any]


class Ledger:
    """The newest entries, each a JSON object with ``seq``, ``kind``, ``at`` and ``real``.

    ``at`` is the simulator's time, ``real`` the machine's, both ISO 8601 in UTC. Entries never
    hold a secret: certificates appear as SHA-256 fingerprints, requests as path templates.
    """

    def __init__(
        self, now: Callable[[], datetime], real: Callable[[], datetime], limit: int
    ) -> None:
        self._now = now
        self._real = real
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._seq = 0
        self._news = asyncio.Event()

    def note(self, kind: Kind, at: datetime | None = None, **facts: Any) -> int:
        """Add an entry and wake up who waits; returns its number."""
        self._seq += 1
        entry = {"seq": self._seq, "kind": kind, "at": (at or self._now()).isoformat()}
        self._entries.append({**entry, "real": self._real().isoformat(), **facts})
        self._news.set()
        return self._seq

    def clear(self) -> None:
        """Forget all entries; numbers go on, so that a reader's ``since`` stays meaningful."""
        self._entries.clear()

    def since(self, seq: int, kinds: frozenset[str] = frozenset()) -> list[Entry]:
        """Entries with a greater number than ``seq``, of these kinds (empty: of all)."""
        newer = itertools.takewhile(lambda entry: entry["seq"] > seq, reversed(self._entries))
        return [entry for entry in newer if not kinds or entry["kind"] in kinds][::-1]

    async def wait(self, seq: int, kinds: frozenset[str], seconds: float) -> list[Entry]:
        """Like :meth:`since`, but waits up to ``seconds`` until there is at least one."""
        found = self.since(seq, kinds)
        try:
            async with asyncio.timeout(seconds):
                while not found:
                    self._news.clear()
                    await self._news.wait()
                    found = self.since(seq, kinds)
        except TimeoutError:
            return []
        return found
