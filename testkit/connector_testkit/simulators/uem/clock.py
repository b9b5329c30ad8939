"""The simulator's own clock: real time plus an offset that a test may turn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class TurnableClock:
    """Real time plus an offset. Retention, delays and the ``Date`` header all follow it.

    Args:
        real: gives the machine's time, with a zone.
    """

    def __init__(self, real: Callable[[], datetime]) -> None:
        self._real = real
        self._turned: list[Callable[[], None]] = []
        self.offset = timedelta(0)

    def when_turned(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called after each change of the offset."""
        self._turned.append(tell)

    def now(self) -> datetime:
        """The simulator's time, UTC."""
        return self.real() + self.offset

    def real(self) -> datetime:
        """The machine's time, UTC."""
        return self._real().astimezone(UTC)

    def set_offset(self, offset: timedelta) -> None:
        """Replace the offset; it may be negative."""
        self.offset = offset
        for tell in self._turned:
            tell()

    def advance(self, by: timedelta) -> None:
        """Turn the clock on by ``by``."""
        self.set_offset(self.offset + by)
