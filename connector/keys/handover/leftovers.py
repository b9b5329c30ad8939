"""Hand-over processes that an earlier service of the same journal left behind.

The kernel ends them with their service. One can only be left by a kernel that fails to do that, or
if the process was compromised on a node without the sandbox; it may hold keys.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
PLACE = -5
"""Of the mark: behind it are three arguments, and nothing behind the last one's end."""


def journal_mark(lock: Path) -> str:
    """The mark in the command line of a journal's processes: the identity of its lock file.

    Device and number of that file are the journal's own on this machine, wherever it is mounted,
    and only one service at a time can hold it.
    """
    found = lock.stat()
    return f"journal={found.st_dev:x}:{found.st_ino:x}"


def end_leftovers(mark: str) -> int:
    """End (SIGKILL) every process of this user that carries the mark; how many there were.

    Only for a service that holds the journal's lock and has not started a process yet.
    """
    ended = 0
    for pid in list(_carrying(mark)):
        with suppress(ProcessLookupError):
            process = os.pidfd_open(pid)
            try:
                if _carries(pid, mark):  # the process id may belong to another process since then
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    ended += 1
            finally:
                os.close(process)
    return ended


def _carrying(mark: str) -> Iterator[int]:
    for entry in PROC.iterdir():
        if entry.name.isdigit() and _carries(int(entry.name), mark):
            yield int(entry.name)


def _carries(pid: int, mark: str) -> bool:
    try:
        arguments = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        return arguments[PLACE : PLACE + 1] == [mark.encode()] and _user(pid) == os.getuid()
    except (OSError, ValueError):
        return False


def _user(pid: int) -> int:
    """The real user id; files in ``/proc`` belong to root for processes that cannot be dumped."""
    lines = (PROC / str(pid) / "status").read_text("utf-8", "replace").splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("Uid:"))
    return int(found)
