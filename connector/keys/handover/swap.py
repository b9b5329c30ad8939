"""Whether anything on this node can be swapped out (Linux, proc(5) and cgroup v2)."""

from pathlib import Path, PurePosixPath

_HEADER_LINES = 1


def swap_is_off(root: Path = Path("/")) -> bool:
    """True when the host has no swap, or a control group above this process forbids it.

    Args:
        root: where ``proc`` and ``sys`` are mounted.
    """
    return _host_has_none(root) or _forbidden_by_group(root)


def _host_has_none(root: Path) -> bool:
    try:
        devices = (root / "proc/swaps").read_text().splitlines()[_HEADER_LINES:]
    except OSError:
        return False
    return not devices


def _forbidden_by_group(root: Path) -> bool:
    """Look at ``memory.swap.max`` of the process's control group and of all groups above it."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return False
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    if own is None:
        return False
    group = PurePosixPath(own.lstrip("/"))
    mounted = root / "sys/fs/cgroup"
    return any(_is_zero(mounted / one / "memory.swap.max") for one in (group, *group.parents))


def _is_zero(file: Path) -> bool:
    try:
        return file.read_text().strip() == "0"
    except OSError:
        return False
