"""The clocks of a machine as tests turn them."""

from dataclasses import dataclass

from connector.core.model import Millis

NOW: Millis = 1_800_000_000_000


@dataclass
class ManualClock:
    """Wall clock and monotonic clock that stand still until a test moves them.

    Attributes:
        wall: milliseconds since 1970 (UTC).
        seconds: of the monotonic clock.
    """

    wall: Millis = NOW
    seconds: float = 1000.0

    def now(self) -> Millis:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, milliseconds: Millis) -> None:
        """Let time pass on both clocks."""
        self.wall += milliseconds
        self.seconds += milliseconds / 1000
