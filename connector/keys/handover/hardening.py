"""Hardening that every process of the service applies to itself before it holds secrets (Linux).

It imports next to nothing, so that the fork server can do it before it loads the rest: a guard
that a child sets holds only if its parent was never open to a debugger.
"""

import ctypes
import os
import resource
import signal
from pathlib import Path

STANDARD = 3
"""Descriptors 0, 1 and 2 are standard input and outputs."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_gains() -> None:
    """No core file, no new privileges."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def forbid_looking_in() -> None:
    """No tracer of the same user, and no core dump: one that is piped to a program ignores limits.

    (core(5): ``RLIMIT_CORE`` does not hold for a ``core_pattern`` that begins with ``|``.)
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def is_traced() -> bool:
    """Whether a debugger is attached: one that came before :func:`forbid_looking_in` stays."""
    lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    return "TracerPid:\t0" not in lines


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when the process ``parent``, which forked it, ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def close_all_but(kept: int) -> None:
    """Close what was inherited: every descriptor but the standard ones and ``kept``."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(STANDARD, kept)
    os.closerange(kept + 1, most)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "setting a process attribute")
