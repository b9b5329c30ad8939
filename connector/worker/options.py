"""Options of the worker loop."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options of the loop. ``clock_jump`` and ``device_deadline`` in ms, ``drain`` in seconds.

    ``boot`` names the boot of the machine that the monotonic clock counts from; empty where that is
    not known, or where the clock is not the same for all processes.
    """

    clock_jump: int
    device_deadline: int
    drain: float
    boot: str = ""


def untold(_told: object) -> None:
    """A listener that ignores what it is called with."""
