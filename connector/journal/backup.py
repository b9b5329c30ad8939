"""Copies of the embedded journal's file: taken while it is served, checked, put back in its place.

SQLite's own copy reads one state of the file, with its log, also while it is written to; it only
reads, so that it cannot do harm beside the connection that writes.
"""

import glob
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from connector.core.errors import Permanent, Rejected
from connector.journal import faults, sealing, tables
from connector.journal.backup_mark import mark
from connector.journal.leftovers import PARTIAL, fold, keep, log_of, present, sync
from connector.journal.plain_copies import plain_copy


def back_up(source: Path, target: Path, key: RSAPublicKey | None = None) -> None:
    """Copy a journal into one new file, durably; with ``key``, only encrypted to it.

    The copy that is encrypted lies beside the journal meanwhile, whose content it has.

    Raises:
        Permanent: ``JRN-004`` when it is no whole journal, ``CFG-007`` when the copy cannot be
            written.
        Rejected: ``EVT-007`` when there is a file already.
    """
    if not present(source):
        raise Permanent("JRN-004", f"opening {source}: there is no journal")
    with _writing(target):
        if target.exists():
            raise Rejected("EVT-007", f"{target} already exists")
    with _new_file(target) as partial:
        if key is None:
            _copy(source, partial)
        else:
            with plain_copy(source) as plain:
                _copy(source, plain)
                sealing.seal(plain, partial, key)
    mark(source)


def _copy(source: Path, partial: Path) -> None:
    with (
        _told("copying journal"),
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(partial)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file without a log
    _require_whole(partial, partial)


def put_back(
    copy: Path,
    path: Path,
    prepare: Callable[[Path], None],
    aside: Path,
    key: RSAPrivateKey | None = None,
) -> None:
    """Replace the journal by a copy that ``prepare`` changes; the old one becomes ``aside``.

    An encrypted copy is opened with ``key``.

    The new journal takes the place of a whole old one by one rename, so that one of both is there
    whenever this is cut off. ``copy`` is only read, with the log that lies beside it.

    Raises:
        Permanent: ``JRN-004`` when the copy is no whole journal, ``JRN-018`` when it is encrypted
            and not for ``key``, ``CFG-003`` when it cannot be read, ``CFG-007`` when files cannot
            be written.
    """
    with _new_file(path) as partial:
        if not sealing.is_sealed(copy):
            _gather(copy, partial)
        elif key is None:
            raise Permanent("JRN-018", f"opening {copy}: it is encrypted, and no --key is given")
        else:
            sealing.unseal(copy, partial, key)
        with _told(f"opening {copy}"):
            fold(partial)
        _require_whole(partial, copy)
        prepare(partial)
        with _told("writing restored journal"):
            fold(partial)
        sync(partial)
        keep(path, aside)


def _gather(copy: Path, partial: Path) -> None:
    """Copy a database file with its log; a snapshot of a volume has events in the log alone."""
    try:
        shutil.copyfile(copy, partial)
        if log_of(copy).exists():
            shutil.copyfile(log_of(copy), log_of(partial))
    except OSError as error:
        raise Permanent("CFG-003", f"copying {copy}: {error.strerror}") from error


def _require_whole(file: Path, named: Path) -> None:
    """Check that a file without a log is a complete journal that this program can read.

    Raises:
        Permanent: ``JRN-004`` when it is not; ``named`` is what it is called there.
    """
    with (
        _told(f"opening {named}"),
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as it,
    ):
        tables.require_known(it)
        (found,) = it.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise Permanent("JRN-004", f"opening {named}: it is damaged")


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A file in a private folder beside the target, which it replaces when it is durable.

    SQLite's log and lock of the file lie in the folder as well, and go with it.
    """
    folder = target.with_name(target.name + PARTIAL)
    with _writing(target):
        _remove(folder, target.name)
        folder.mkdir(mode=0o700)
        try:
            partial = folder / target.name
            os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            yield partial
            sync(partial)
            partial.replace(target)
            sync(target.parent)
        finally:
            _remove(folder, target.name)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Permanent("CFG-007", f"writing {target}: {error.strerror}") from error


def _remove(folder: Path, name: str) -> None:
    """Remove what an attempt left, and no other file; versions before this one left a file.

    Raises:
        OSError: when something else is in the folder.
    """
    if folder.is_dir() and not folder.is_symlink():
        for one in folder.glob(f"{glob.escape(name)}*"):
            one.unlink()
        folder.rmdir()
    else:
        folder.unlink(missing_ok=True)


@contextmanager
def _told(doing: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise faults.unusable(doing, error) from error
