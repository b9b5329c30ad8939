"""One process per journal: an exclusive lock on a file beside it.

``flock`` belongs to the open file, not to the process, so a second journal in the same process is
refused as well; the descriptor is not inherited by children that are started by exec.
"""

import fcntl
import os
from pathlib import Path

from connector.core.errors import Permanent


def lock_of(path: Path) -> Path:
    """The lock file of a journal's database file."""
    return path.with_name(f"{path.name}.lock")


class LockFile:
    """The lock. Kept until :meth:`release` or any end of the process."""

    def __init__(self, path: Path) -> None:
        """``path`` is the lock file itself; it stays on disk when the lock is gone."""
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Lock it.

        Raises:
            Permanent: ``JRN-004`` when another holds it, or the file cannot be made.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Permanent("JRN-004", f"opening {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            text = f"locking {self._path}: another process holds it"
            raise Permanent("JRN-004", text) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Unlock it; twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
