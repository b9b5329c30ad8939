"""Copies of the embedded journal's file: taken while it is served, checked, put back in its place.

SQLite's own copy reads one state of the file, with its log, also while it is written to; it only
reads, so that it cannot do harm beside the connection that writes.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connector.core.errors import Permanent, Rejected
from connector.journal import faults, tables


def back_up(source: Path, target: Path) -> None:
    """Copy a journal into one new file, durably.

    Raises:
        Permanent: ``JRN-004`` when it is no whole journal, ``CFG-003`` when the copy cannot be
            written.
        Rejected: ``EVT-007`` when there is a file already.
    """
    if not source.exists():
        raise Permanent("JRN-004", f"opening {source}: there is no journal")
    if target.exists():
        raise Rejected("EVT-007", f"{target} is there already")
    with _new_file(target) as partial:
        with (
            _told("copying journal"),
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(partial)) as copy,
        ):
            live.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file without a log
        require_whole(partial)


def require_whole(file: Path) -> None:
    """Check that a file is a complete journal that this program can read.

    Raises:
        Permanent: ``JRN-004`` when it is not.
    """
    with (
        _told(f"opening {file}"),
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as it,
    ):
        tables.require_known(it)
        (found,) = it.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise Permanent("JRN-004", f"opening {file}: it is damaged")


def put_back(copy: Path, path: Path, prepare: Callable[[Path], None], aside: str) -> None:
    """Replace the journal by a copy, after ``prepare`` has written into it; keep the old files.

    Raises:
        Permanent: ``JRN-004`` when the copy is no whole journal, ``CFG-003`` when files cannot be
            written.
    """
    require_whole(copy)
    with _new_file(path) as partial:
        try:
            shutil.copyfile(copy, partial)
        except OSError as error:
            raise Permanent("CFG-003", f"reading {copy}: {error.strerror}") from error
        prepare(partial)
        for ending in ("", "-wal", "-shm"):
            old = path.with_name(path.name + ending)
            if old.exists():
                old.rename(path.with_name(f"{path.name}.{aside}{ending}"))


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A private file that gets its name when it is whole and durable."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        try:
            yield partial
            _sync(partial)
            partial.rename(target)
        finally:
            partial.unlink(missing_ok=True)
        _sync(target.parent)
    except OSError as error:
        raise Permanent("CFG-003", f"writing {target}: {error.strerror}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(doing: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise faults.unusable(doing, error) from error
