"""Swap: keys are refused a node on which they could reach a disk, unless a setting accepts it."""

from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.keys.handover.lockdown import require_unswappable
from connector.keys.handover.swap import swap_is_off

HEADER = "Filename\t\tType\t\tSize\t\tUsed\t\tPriority\n"
DEVICE = "/dev/vda2 partition 1048572 0 -2\n"


def node(root: Path, swaps: str, group: str = "", **limits: str) -> Path:
    """The files of a node; ``limits`` are ``memory.swap.max`` by group, ``_`` for the root."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/swaps").write_text(swaps)
    (root / "proc/self/cgroup").write_text(f"0::/{group}\n")
    for name, limit in limits.items():
        folder = root / "sys/fs/cgroup" / ("" if name == "_" else name.replace("__", "/"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.swap.max").write_text(f"{limit}\n")
    return root


def test_no_swap_device(tmp_path: Path) -> None:
    """A host without swap is fit with any setting of the control groups."""
    assert swap_is_off(node(tmp_path, HEADER))


def test_swap_device_without_a_limit(tmp_path: Path) -> None:
    """A host with swap is unfit when no group above the process forbids it."""
    assert not swap_is_off(node(tmp_path, HEADER + DEVICE, "pod/one", pod="max", pod__one="max"))


@pytest.mark.parametrize("forbidding", ["_", "pod", "pod__one"])
def test_swap_forbidden_by_a_group(tmp_path: Path, forbidding: str) -> None:
    """``memory.swap.max`` 0 counts at the process's own group and at each one above it."""
    limits = {"pod": "max", "pod__one": "1048576", forbidding: "0"}
    assert swap_is_off(node(tmp_path, HEADER + DEVICE, "pod/one", **limits))


def test_unreadable_node_counts_as_swapping(tmp_path: Path) -> None:
    """What cannot be read proves nothing."""
    assert not swap_is_off(tmp_path)


def test_acceptance_is_needed_only_without_a_lock() -> None:
    """Locked memory or the setting that accepts it is enough; the refusal has its own code."""
    require_unswappable(locked=True, accept_unlocked=False, swap_off=lambda: False)
    require_unswappable(locked=False, accept_unlocked=True, swap_off=lambda: False)
    require_unswappable(locked=False, accept_unlocked=False, swap_off=lambda: True)
    with pytest.raises(Permanent, match="HND-004"):
        require_unswappable(locked=False, accept_unlocked=False, swap_off=lambda: False)
