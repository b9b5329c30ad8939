"""What time it is by the upstreams: the ``Date`` of the newest answer, carried on.

Carried on with the monotonic clock, which cannot leap, one answer tells the time from then on.
"""

from collections.abc import Callable

from connector.core.model import SECOND, Millis

ASK_EVERY = 10.0
"""Seconds between two questions to the upstreams while a clock is in doubt."""


class ServerDates:
    """The newest time that an upstream reported, for all partitions of a process.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._offset: Millis | None = None
        self._ask_at = 0.0

    def note(self, server_time: Millis | None) -> None:
        """An answer had this ``Date``; None: it had none."""
        if server_time is not None:
            self._offset = server_time - self._passed()

    def now(self) -> Millis | None:
        """What the upstreams would say now; None while none has said anything."""
        return None if self._offset is None else self._offset + self._passed()

    def ask(self) -> bool:
        """Whether the upstreams should be asked now; the question is counted as put."""
        if self._monotonic() < self._ask_at:
            return False
        self._ask_at = self._monotonic() + ASK_EVERY
        return True

    def _passed(self) -> Millis:
        return int(self._monotonic() * SECOND)
