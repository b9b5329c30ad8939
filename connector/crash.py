"""Named points at which a test can have the process killed, as power loss or the kernel would.

Every step of the loop and of the hand-over passes one. In service no point is armed.
"""

import os
import signal
from collections.abc import Callable

POINTS = (
    "intake.before_append",
    "intake.after_append",
    "loop.after_take_over",
    "loop.after_read",
    "loop.after_advance",
    "loop.after_commit",
    "loop.after_start",
    "act.before",
    "act.after",
    "handover.started",
    "handover.listed",
    "handover.fetched",
    "handover.checked",
    "handover.packaged",
    "handover.sending",
    "handover.sent",
    "handover.answered",
)
"""Numbered by their place in this list, from 0."""

CrashPoint = Callable[[str], None]


def never(point: str) -> None:
    """The crash point of service: checks that the name is listed, and goes on."""
    if point not in POINTS:
        msg = f"unknown crash point {point!r}"
        raise ValueError(msg)


def armed(at: str, passes: int = 1) -> CrashPoint:
    """A crash point that kills this process with SIGKILL when ``at`` is passed for the nth time."""
    left = passes

    def point(name: str) -> None:
        nonlocal left
        never(name)
        if name == at:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return point
