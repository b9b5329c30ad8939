"""The last log lines of the process, kept for a support bundle."""

from collections import deque
from collections.abc import Sequence

from connector.observe.logs import Stream

KEPT = 2000
"""Lines; each is one of few members, none of them longer than 300 characters."""


class RecentLines:
    """A stream that passes every line on and keeps the last ones."""

    def __init__(self, kept: int = KEPT) -> None:
        """``kept``: how many."""
        self._lines: deque[str] = deque(maxlen=kept)
        self._next: Stream | None = None

    def before(self, stream: Stream) -> "RecentLines":
        """Pass what comes from now on to ``stream``."""
        self._next = stream
        return self

    def write(self, line: str) -> int:
        """Keep a line and pass it on."""
        self._lines.append(line)
        return len(line) if self._next is None else self._next.write(line)

    def flush(self) -> None:
        """Pass it on."""
        if self._next is not None:
            self._next.flush()

    def lines(self) -> Sequence[str]:
        """Those kept, the oldest first."""
        return [line.rstrip("\n") for line in tuple(self._lines)]
