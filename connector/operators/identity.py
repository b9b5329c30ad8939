"""Check that it is the service that answers on the operators' socket.

The kernel reports which user is at the other end. Root, and the caller's own user, are trusted. Any
other user is the service's only if only root and that user could have created the socket.
"""

import os
import stat
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from connector.core.errors import Permanent
from connector.operators.peer import uid_behind

ROOT = 0
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class CheckedConnector(aiohttp.UnixConnector):
    """Connects to a Unix socket, and checks the peer before anything is sent."""

    async def _create_connection(self, *args: Any, **kwargs: Any) -> ResponseHandler:
        """Raise what :func:`require_service` raises; aiohttp has no public place for it."""
        protocol = await super()._create_connection(*args, **kwargs)
        try:
            require_service(Path(self.path), uid_behind(protocol.transport), os.getuid())
        except Permanent:
            protocol.close()
            raise
        return protocol


def require_service(path: Path, peer: int, own: int) -> None:
    """Check that an answer on a socket comes from the service.

    Args:
        path: the socket.
        peer: user id at its other end.
        own: user id of this process.

    Raises:
        Permanent: ``ADM-004`` when it may be another program, with the file or folder at fault.
    """
    if peer in {ROOT, own}:
        return
    if path.lstat().st_uid != peer:
        raise _doubted(path, f"user {peer} answers on it and does not own it")
    whole = path.absolute()
    for entry in {whole, *whole.parents, *path.resolve().parents}:
        if entry.lstat().st_uid not in {ROOT, own, peer}:
            raise _doubted(entry, "it belongs to another user")
        if entry != entry.parent and not _is_safe(entry, own):
            raise _doubted(entry.parent, "others may write there")


def _is_safe(entry: Path, own: int) -> bool:
    """Whether only root and the owner of its folder could have put an entry there.

    In a folder like ``/tmp`` others cannot replace it, but they can be first.
    """
    folder = entry.parent.stat()
    is_sticky = bool(folder.st_mode & stat.S_ISVTX)
    return not folder.st_mode & OTHERS_WRITE or (is_sticky and entry.lstat().st_uid in {ROOT, own})


def _doubted(place: Path, reason: str) -> Permanent:
    return Permanent("ADM-004", f"asking the service: {place}: {reason}")
