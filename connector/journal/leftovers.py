"""What lies beside the journal's file: its log, an unfinished copy, the journal before it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

BEFORE = ".before-"
"""What the name of a kept journal adds, followed by the time at which it was replaced."""
PARTIAL = ".partial"
"""What the name of an unfinished copy adds."""
_LOG = "-wal"
_INDEX = "-shm"


def log_of(path: Path) -> Path:
    """The log of a database file."""
    return path.with_name(path.name + _LOG)


def keep(path: Path, aside: Path) -> None:
    """Give the journal's file a second name, after which its place may be taken by a rename.

    A log that stayed beside the new file would be taken for that one's, so it is folded in first.
    Where that fails because the journal is damaged, its files are moved away as they are; then
    its place is empty for a moment.

    Raises:
        OSError: when that cannot be done; the journal has one of both names.
    """
    if path.exists() and (not log_of(path).exists() or _folded(path)):
        os.link(path, aside)
    else:
        for ending in ("", _LOG, _INDEX):
            old = path.with_name(path.name + ending)
            if old.exists():
                old.rename(aside.with_name(aside.name + ending))
    sync(path.parent)


def fold(path: Path) -> None:
    """Write the log of a database file into it, durably, so that one file holds everything.

    Raises:
        sqlite3.Error: when that cannot be done.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy or log_of(path).exists():
        raise sqlite3.OperationalError("the log stays")


def sync(path: Path) -> None:
    """Make a file or folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folded(path: Path) -> bool:
    """Whether a log could be folded in; that of a damaged file is left as it is, as evidence."""
    try:
        # A connection that cannot write leaves the log in place when it is closed.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reading:
            (found,) = reading.execute("PRAGMA quick_check(1)").fetchone()
        if found == "ok":
            fold(path)
    except sqlite3.Error:
        return False
    return bool(found == "ok")
