"""A process and all that it started (Linux, proc(5)): who they are, stopping and killing them."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """A process and its descendants, each before its own children."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children[int(stat[1])].append(int(entry.name))
    found = [pid]
    for parent in found:  # grows while it is walked
        found += children[parent]
    return found


def stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    stat = _stat(pid)
    return bool(stat) and stat[0] == "T"


def alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z"


def _stat(pid: int) -> list[str]:
    """State, parent and so on; empty when there is no such process."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_at_once(pids: Iterable[int]) -> None:
    """End all of them as a power cut would: none does anything after the first is gone."""
    wanted = list(pids)
    signal_all(wanted, signal.SIGSTOP)
    signal_all(wanted, signal.SIGKILL)
