"""What an earlier journal leaves beside the place of the journal's file.

A missing file is no new journal where such files lie: started empty, the service would take none
of the copies in the UEM for its own, and nothing would tell that it forgot them.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from connector.core.errors import Permanent
from connector.journal.plain_copies import PLAIN

BEFORE = ".before-"
"""What the name of a kept journal adds, followed by the time at which it was replaced."""
PARTIAL = ".partial"
"""What the name of an unfinished copy adds."""
_LOG = "-wal"
_INDEX = "-shm"


def log_of(path: Path) -> Path:
    """The log of a database file."""
    return path.with_name(path.name + _LOG)


def index_of(path: Path) -> Path:
    """The index of a database file's log, which all its connections share."""
    return path.with_name(path.name + _INDEX)


def present(path: Path) -> bool:
    """Whether the journal's file is there.

    Raises:
        Permanent: ``JRN-004`` when that cannot be found out, as with a name that is too long.
    """
    try:
        return path.exists()
    except OSError as error:
        # A detail is cut at its end, and the path may be what is too long.
        raise Permanent("JRN-004", f"opening journal: {error.strerror}: {path}") from error


def require_none(path: Path) -> None:
    """See that a journal may be made here.

    Raises:
        Permanent: ``JRN-016`` when an earlier one left files, ``JRN-004`` when the folder cannot
            be read.
    """
    signs = tuple(path.name + ending for ending in (BEFORE, PARTIAL, PLAIN, _LOG))
    try:
        names = sorted(one.name for one in path.parent.iterdir() if one.name.startswith(signs))
    except OSError as error:
        raise Permanent("JRN-004", f"opening {path.parent}: {error.strerror}") from error
    if names:
        raise Permanent("JRN-016", f"opening {path}: it is missing, but {names[0]} exists")


def keep(path: Path, aside: Path) -> None:
    """Give the journal's file a second name, after which its place may be taken by a rename.

    A log that stayed beside the new file would be taken for that one's, so it is folded in first.
    Where that fails because the journal is damaged, its files are moved away as they are; then
    its place is empty for a moment, in which :func:`require_none` refuses to start.

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
        raise sqlite3.OperationalError("the write-ahead log was not removed")


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
