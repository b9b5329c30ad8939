"""The machine's two clocks, and its dice."""

import secrets
import time

from connector import boot
from connector.core.model import Millis

DICE_STEPS = 1 << 30


class MachineClock:
    """Wall clock and monotonic clock of this machine."""

    def now(self) -> Millis:
        """Milliseconds since 1970 (UTC)."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that only go forward, also while the machine is suspended."""
        return boot.seconds()


def dice() -> float:
    """A number in [0, 1) from the system's source of chance."""
    return secrets.randbelow(DICE_STEPS) / DICE_STEPS
