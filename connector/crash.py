"""Named points at which a test can have the process killed, as power loss or the kernel would.

Every step of the loop, of an act and of the hand-over passes one; ``handover.…`` are passed in the
hand-over process, all others in the service. In service no point is armed.
"""

import os
import signal
from collections.abc import Callable
from typing import Literal, get_args

Point = Literal[
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
]
POINTS: tuple[str, ...] = get_args(Point)
"""Numbered by their place in this list, from 0."""

CrashPoint = Callable[[str], None]
CrashBy = Literal["kill", "stop"]

SIGNALS: dict[CrashBy, signal.Signals] = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def never(point: str) -> None:
    """The crash point of service: checks that the name is listed, and goes on."""
    if point not in POINTS:
        msg = f"unknown crash point {point!r}"
        raise ValueError(msg)


def armed(at: str, passes: int = 1, by: CrashBy = "kill") -> CrashPoint:
    """A crash point that ends this process when ``at`` is passed for the nth time.

    With ``by="stop"`` it is stopped there instead, so that a test can see that the point was
    reached and kill this process, its parent, or all of them.
    """
    left = passes

    def point(name: str) -> None:
        nonlocal left
        never(name)
        if name == at:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), SIGNALS[by])

    return point
