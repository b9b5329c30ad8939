"""Open the file: every setting that the journal depends on is set and read back.

Versions of SQLite before 3.51.3 could corrupt a file when two connections wrote or checkpointed at
the same moment (the WAL-reset bug). So one connection writes and checkpoints, and readers can do
neither. No ``mmap_size``: an I/O error on a mapped page would kill the process.
"""

import os
import sqlite3
from pathlib import Path
from typing import Literal

from connector.core.errors import Permanent
from connector.journal import faults
from connector.journal.database import Connection

Synchronous = Literal["FULL", "NORMAL", "OFF"]

_LEVELS: dict[Synchronous, int] = {"OFF": 0, "NORMAL": 1, "FULL": 2}
_BUSY_SECONDS = 5.0
_CACHE_KIB = 8192
_LOG_SIZE_LIMIT = 64 * 1024 * 1024


def open_writing(path: Path, synchronous: Synchronous = "FULL") -> sqlite3.Connection:
    """The one connection that writes; made here, used by one other thread.

    Raises:
        Permanent: ``JRN-004`` when the file is no database or a setting does not take.
    """
    try:
        _make_private(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        raise faults.unusable("opening journal file", error) from error
    try:
        set_up_writing(connection, synchronous)
    except BaseException:
        connection.close()
        raise
    return connection


def set_up_writing(connection: Connection, synchronous: Synchronous) -> None:
    """Set and read back what a writing connection relies on.

    Automatic checkpoints are off because SQLite ignores their errors: after a failed sync of the
    database file it would go on as if nothing had happened. The writer checkpoints by itself.

    Raises:
        Permanent: ``JRN-004``.
    """
    _demand(connection, "journal_mode", "wal", "wal")
    _demand(connection, "synchronous", synchronous, _LEVELS[synchronous])
    _demand(connection, "foreign_keys", "1", 1)
    _demand(connection, "wal_autocheckpoint", "0", 0)
    _demand(connection, "journal_size_limit", str(_LOG_SIZE_LIMIT), _LOG_SIZE_LIMIT)
    _demand(connection, "cache_size", str(-_CACHE_KIB), -_CACHE_KIB)


def open_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, checkpoint or recover.

    Its first read makes it a known user of the log, without which the writer would take itself for
    the last one when it closes.

    Raises:
        Permanent: ``JRN-004``.
    """
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        connection.execute("SELECT count(*) FROM partitions").fetchone()
    except sqlite3.Error as error:
        raise faults.unusable("opening journal for reading", error) from error
    _demand(connection, "query_only", "1", 1)
    _demand(connection, "wal_autocheckpoint", "0", 0)
    return connection


def _demand(connection: Connection, pragma: str, value: str, expected: object) -> None:
    try:
        connection.execute(f"PRAGMA {pragma} = {value}").fetchall()
        row = connection.execute(f"PRAGMA {pragma}").fetchone()
    except sqlite3.Error as error:
        raise faults.unusable(f"setting {pragma}", error) from error
    if row is None or row[0] != expected:
        raise Permanent("JRN-004", f"setting {pragma}: the value {value} was not accepted")


def _make_private(path: Path) -> None:
    """SQLite gives log and index files the mode of the database file, so that one decides."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
