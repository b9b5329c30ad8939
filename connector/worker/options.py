"""Options of the worker loop."""

from dataclasses import dataclass

from connector.core.model import DAY


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options of the loop. ``clock_jump`` and ``device_deadline`` in ms, ``drain`` in seconds.

    ``boot`` names the boot of the machine that the monotonic clock counts from; empty where that is
    not known, or where the clock is not the same for all processes.
    """

    clock_jump: int = 3_600_000
    device_deadline: int = 14 * DAY
    drain: float = 30.0
    boot: str = ""


def untold(_told: object) -> None:
    """A listener that ignores what it is called with."""
