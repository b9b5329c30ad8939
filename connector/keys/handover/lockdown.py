"""Makes a process fit to hold keys. Linux only; the order of the steps matters.

Nothing may be dumped or traced any more (:mod:`connector.keys.handover.hardening`), then come
limits, then memory is locked; the timer and the watch over the service's end come last, because
from then on the process may die at any moment. Only after all of it may key material be made.
"""

import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
from collections.abc import Callable
from typing import NamedTuple

from connector import boot
from connector.core.errors import Permanent
from connector.keys.handover.hardening import STANDARD, close_all_but
from connector.keys.handover.swap import swap_is_off

CHANNEL = 3
"""The only open descriptor besides the standard ones, which lead to /dev/null."""

OPEN_FILES = 64
MEMORY_BEYOND_PRESENT = 512 * 1024 * 1024
PRIORITY = 10
"""Niceness: the service's own loop goes first when all cores load keys."""

_MCL_CURRENT = 1
_MCL_FUTURE = 2
_MCL_ONFAULT = 4
"""Pages are locked when they come into being; without it the whole copy of the forkserver would be
made real first, which takes 30 ms instead of 3."""

_libc = ctypes.CDLL(None, use_errno=True)


class Limits(NamedTuple):
    """Resource limits of a process: ``processor`` in seconds."""

    processor: int


def close_everything_else(channel: int) -> None:
    """Keep one descriptor, as number 3; standard input and outputs lead nowhere."""
    os.dup2(channel, CHANNEL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(STANDARD):
        os.dup2(nowhere, standard)
    close_all_but(CHANNEL)


def forget_signal_handlers() -> None:
    """Restore the kernel's default action for all signals, so that Python does not delay them."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGALRM, signal.SIGIO, signal.SIGXCPU, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def limit_resources(limits: Limits) -> None:
    """Bound memory, processor time and descriptors; no file can be written at all."""
    address_space = _address_space() + MEMORY_BEYOND_PRESENT
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor, limits.processor + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(PRIORITY)


def _address_space() -> int:
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - read in each hand-over
        return int(file.read().split()[0]) * resource.getpagesize()


def lock_memory() -> bool:
    """Keep all pages of this process out of swap; False if the node does not allow that."""
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        return True
    if ctypes.get_errno() in {errno.EPERM, errno.ENOMEM, errno.EAGAIN}:
        return False
    raise OSError(ctypes.get_errno(), "locking memory")


def unlock_memory() -> None:
    """Undo :func:`lock_memory`; used to find out whether it works."""
    _libc.munlockall()


def require_unswappable(
    *, locked: bool, accept_unlocked: bool, swap_off: Callable[[], bool] = swap_is_off
) -> None:
    """Refuse to go on where keys could reach a swap device.

    Args:
        locked: whether memory is locked.
        accept_unlocked: whether the settings accept that keys may be swapped out.
        swap_off: tells whether this node cannot swap; asked only when it matters.

    Raises:
        Permanent: ``HND-004`` when memory is not locked, swap is on, and that is not accepted.
    """
    if not (locked or accept_unlocked or swap_off()):
        raise Permanent("HND-004", "locking memory: refused by the node, and swap is on")


def end_at(moment: float) -> None:
    """Have the kernel end this process at a moment of the clock of the machine's boot.

    There is no handler, so the signal takes effect before the process executes anything more, also
    when it was stopped meanwhile and is continued much later, or the machine was suspended.
    """
    boot.alarm_at(moment)


def end_with_the_service() -> None:
    """Have the kernel end this process when the service closes its end, or ends itself.

    The service writes nothing after the job, so the only thing that can still come is the end.
    """
    fcntl.fcntl(CHANNEL, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(CHANNEL, fcntl.F_GETFL)
    fcntl.fcntl(CHANNEL, fcntl.F_SETFL, flags | os.O_ASYNC)
    poll = select.poll()
    poll.register(CHANNEL, select.POLLIN | select.POLLHUP)
    if poll.poll(0):
        os.kill(os.getpid(), signal.SIGIO)
