"""Says when the file of the journal lies on a network file system, which SQLite must not."""

import asyncio
import os
from pathlib import Path
from typing import Final

from connector.core.conditions import Severity
from connector.wiring.conditions import Board

NAME: Final = "journal-network"
MOUNTS: Final = Path("/proc/self/mountinfo")
NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "afs", "gpfs", "beegfs"),
        *("fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.juicefs"),
    }
)
"""Kinds of file systems as the kernel names them."""


async def look(board: Board, file: Path, mounts: Path = MOUNTS) -> None:
    """Report a condition when it does.

    Args:
        board: of the conditions.
        file: the journal, or its local tables.
        mounts: what is mounted, as the kernel tells this process.
    """
    kind = await asyncio.to_thread(kind_of, file.parent, mounts)
    if kind in NETWORK:
        text = f"the volume of the journal is a network file system ({kind})"
        board.report(NAME, Severity.WARNING, "JRN-019", text)


def kind_of(folder: Path, mounts: Path = MOUNTS) -> str:
    """The kind of a folder's file system; empty where it is not known."""
    try:
        device = folder.stat().st_dev
        lines = mounts.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        mounted, _, source = line.partition(" - ")
        if mounted.split()[2:3] == [number] and source:
            return source.split()[0]
    return ""
