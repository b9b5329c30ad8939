"""Where the journal lies is seen from what the kernel has mounted."""

import os
from pathlib import Path

import pytest

from connector.core.conditions import Severity
from connector.wiring.conditions import Board
from connector.wiring.volume_kind import MOUNTS, kind_of, look
from tests.support.clocks import ManualClock
from tests.support.counted import Counted


def mounted(folder: Path, kind: str) -> Path:
    """As in /proc: the folder's file system of a kind, and others around it."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    file = folder / "mountinfo"
    file.write_text(
        "22 1 0:999999 / / rw,relatime - overlay overlay rw\n"
        f"36 22 {number} / {folder} rw,noatime shared:1 - {kind} server:/export rw,vers=4.2\n"
        "cut off\n"
    )
    return file


@pytest.mark.parametrize(
    ("kind", "codes"), [("nfs4", ["JRN-019"]), ("cifs", ["JRN-019"]), ("ext4", []), ("xfs", [])]
)
async def test_a_network_file_system_is_a_warning(
    tmp_path: Path, kind: str, codes: list[str]
) -> None:
    """The name of a storage class does not show it."""
    board = Board(ManualClock(), Counted())
    await look(board, tmp_path / "journal.sqlite", mounted(tmp_path, kind))
    standing = board.standing()
    assert [one.code for one in standing] == codes
    assert all(one.severity is Severity.WARNING and kind in one.text for one in standing)


def test_what_is_not_known_is_no_warning(tmp_path: Path) -> None:
    """On a system without /proc, and for a folder that is not there."""
    assert kind_of(tmp_path, tmp_path / "none") == ""
    assert kind_of(tmp_path / "none") == ""
    (tmp_path / "other").write_text("22 1 0:999999 / / rw - nfs server rw\n")
    assert kind_of(tmp_path, tmp_path / "other") == ""


def test_this_process_has_file_systems_that_are_known() -> None:
    """As the kernel writes them."""
    assert kind_of(Path("/proc"), MOUNTS) == "proc"
