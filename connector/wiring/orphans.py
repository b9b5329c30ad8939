"""Reaps processes that nothing else waits for, where the service is the first of a container.

The kernel makes the first process the parent of each one that has lost its own: hand-overs whose
fork server was killed, or what a shell in the container has left. Ended ones would stay in the
table of processes, which a pod's limit bounds.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final

FIRST: Final = 1
EVERY: Final = 2.0
"""Seconds between two looks. A child of our own is reaped by the event loop long before."""
_ZOMBIE: Final = "Z"


async def follow(stop: asyncio.Event) -> None:
    """Look every few seconds until ``stop``; at once done where this is not the first process."""
    if os.getpid() != FIRST:
        return
    orphans = Orphans()
    while not stop.is_set():
        orphans.look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                await stop.wait()


class Orphans:
    """Remembers which of our children had ended at the last look. ``proc``: where proc(5) is."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._ended: frozenset[int] = frozenset()

    def look(self) -> None:
        """Reap what had ended at the last look already: it is no child that is waited for."""
        ended = frozenset(self._children())
        for pid in ended & self._ended:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        self._ended = ended

    def _children(self) -> list[int]:
        """Our children that have ended and are not reaped."""
        own = str(os.getpid())
        found = []
        for entry in self._proc.iterdir():
            with contextlib.suppress(OSError, IndexError):
                if entry.name.isdigit():
                    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                    if (state, parent) == (_ZOMBIE, own):
                        found.append(int(entry.name))
        return found
