"""The machine: its cores, what a process has used of them, and how much memory it holds. Linux."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_OWN, _WITH_CHILDREN = slice(11, 13), slice(11, 15)
"""User and system time in ``/proc/PID/stat`` behind the name; the children's follow (proc(5))."""


def cores() -> tuple[int, ...]:
    """The cores that we may use."""
    return tuple(sorted(os.sched_getaffinity(0)))


def server_core() -> frozenset[int]:
    """Where the measured side runs."""
    return frozenset(cores()[:1])


def load_core() -> frozenset[int]:
    """Where the load comes from; another core, if there is one."""
    return frozenset(cores()[1:2] or cores()[:1])


def processor_seconds(pid: int, *, with_children: bool = False) -> float:
    """Processor time of a process so far, if wanted with that of its reaped children."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[_WITH_CHILDREN if with_children else _OWN])) / _TICKS


def busy_seconds() -> float:
    """Processor time that all programs together have used on our cores so far."""
    used = 0
    for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines():
        name, *ticks = line.split()
        if name.removeprefix("cpu").isdecimal() and int(name.removeprefix("cpu")) in cores():
            used += sum(map(int, ticks[:3]))  # user, nice, system
    return used / _TICKS


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, without pages of files."""
    resident, shared = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1:3]
    return (int(resident) - int(shared)) * _PAGE


def children(pid: int) -> Iterable[int]:
    """The processes that a process started and that still run."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text(encoding="utf-8").split())
