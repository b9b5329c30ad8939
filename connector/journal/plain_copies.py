"""Plain copies of the journal, each while it is encrypted: in a private folder that may not stay.

A process that is killed leaves its folder. The next one removes it, and knows by a lock on the
folder, which ends with the process, which ones are in use.
"""

import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from connector.core.errors import Permanent

PLAIN = ".plain-"
"""What the name of such a folder adds to the journal's, followed by letters of its own."""


@contextmanager
def plain_copy(journal: Path) -> Iterator[Path]:
    """A place for one plain copy beside the journal; empty at first, removed at the end.

    Raises:
        Permanent: ``CFG-007`` when there can be none.
    """
    remove_abandoned(journal)
    try:
        folder, lock = _made(journal)
    except OSError as error:
        raise Permanent("CFG-007", f"writing beside {journal}: {error.strerror}") from error
    try:
        yield folder / journal.name
    finally:
        shutil.rmtree(folder)
        os.close(lock)


def remove_abandoned(journal: Path) -> None:
    """Remove the copies of processes that were killed.

    One that cannot be removed, as that of another user, stops neither a start nor a backup.
    """
    for folder in journal.parent.glob(f"{glob.escape(journal.name)}{PLAIN}*"):
        with suppress(OSError):  # also: it is in use, or was just removed
            lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)


def _made(journal: Path) -> tuple[Path, int]:
    """A new folder and the descriptor that locks it; not one that was removed before the lock."""
    while True:
        folder = Path(mkdtemp(prefix=journal.name + PLAIN, dir=journal.parent))
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)
