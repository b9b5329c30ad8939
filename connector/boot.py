"""The clock that counts from the boot of this machine, and the name of that boot. Linux.

It only goes forward, goes on while the machine is suspended, and is the same one for all processes
of the machine. So what one process begins, and what the kernel ends for it, can be counted on by
the process that comes after it, for as long as both read the same boot's name.
"""

import ctypes
import os
import struct
import time
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_OFFSETS = Path("/proc/self/timens_offsets")

_libc = ctypes.CDLL(None, use_errno=True)
_ABSOLUTE = 1
_SECOND = 1_000_000_000
_SETTING = struct.Struct("@4l")
"""``struct itimerspec``: how often again, and when first, each in seconds and nanoseconds."""


def seconds() -> float:
    """Seconds since the machine's boot, suspended ones counted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def name(boot_id: Path = _BOOT_ID, offsets: Path = _OFFSETS) -> str:
    """The name of this boot of this machine, as its clock is read here; empty when not known.

    Args:
        boot_id: where the kernel tells the boot.
        offsets: by how much this process is shown other clocks than the machine's (time name
            spaces); clocks that are read differently are not the same clock.
    """
    try:
        boot = boot_id.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    try:
        words = offsets.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        words = []  # a kernel without time name spaces
    moved = "".join(word for word in words if not word.isalpha() and set(word) != {"0"})
    return f"{boot} {moved}".strip()


def alarm_at(moment: float) -> None:
    """Have the kernel send ``SIGALRM`` to this process at a moment of :func:`seconds`.

    The moment is absolute, so it makes no difference how long the call takes; one in the past is
    now. Another call replaces the moment. A process that is forked has no alarm.

    Raises:
        OSError: the kernel refuses.
    """
    left = max(int(moment * _SECOND), 1)  # zero would mean never
    setting = _SETTING.pack(0, 0, *divmod(left, _SECOND))
    _check(_libc.timer_settime(_timer(os.getpid()), _ABSOLUTE, setting, None))


@cache
def _timer(_process: int) -> ctypes.c_void_p:
    """The one timer of a process. A forked one has another number, and makes one of its own."""
    timer = ctypes.c_void_p()
    _check(_libc.timer_create(time.CLOCK_BOOTTIME, None, ctypes.byref(timer)))
    return timer


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "setting the timer of a process")
