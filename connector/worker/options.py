"""What can be chosen of the loop."""

from dataclasses import dataclass

from connector.core.model import DAY


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Settings of the loop. ``clock_jump`` and ``device_deadline`` in ms, ``drain`` in seconds."""

    clock_jump: int = 3_600_000
    device_deadline: int = 14 * DAY
    drain: float = 30.0


def untold(_told: object) -> None:
    """Whom something is told when nobody listens."""
