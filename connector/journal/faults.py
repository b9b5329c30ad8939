"""The fault for each result code of SQLite, and who has to act.

The codes are those of https://www.sqlite.org/rescode.html. An extended code wins over its primary
one. What is not in the table counts as a lost journal: going on would be a guess.
"""

import errno
import sqlite3

from connector.core.errors import ConnectorError, Permanent, Transient

RETRY_AFTER = 2.0
"""Seconds a sender should wait when the journal cannot take an event now."""

PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR_NOMEM,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
"""The transaction was rolled back and the file is as before; trying again may succeed.

``IOERR_SHMSIZE`` is what a full disk looks like while the shared index of the log grows: nothing
durable lives there.
"""

CONTRADICTION = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_MISUSE,
    }
)
"""One caller asked for something impossible; others in the transaction are not affected."""

_PRIMARY = 0xFF


def passing(error: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later without any change."""
    return _in(error, PASSING)


def contradiction(error: sqlite3.Error) -> bool:
    """Whether the fault is the caller's, not the file's."""
    return _in(error, CONTRADICTION) or isinstance(error, sqlite3.InterfaceError)


def unwritable(doing: str, error: sqlite3.Error) -> Transient:
    """``JRN-001``: not now."""
    return Transient("JRN-001", f"{doing}: {name(error)}", retry_after=RETRY_AFTER)


def lost(doing: str, error: BaseException) -> Permanent:
    """``JRN-002``: never again in this process."""
    return Permanent("JRN-002", f"{doing}: {name(error)}")


def foreign(doing: str, error: sqlite3.Error) -> Permanent:
    """``JRN-017``: rows in the file that this process did not write are in the way of its own."""
    return Permanent("JRN-017", f"{doing}: {name(error)}")


def refused(doing: str, error: sqlite3.Error) -> Permanent:
    """``JRN-006``: this caller's rows contradict what is stored."""
    return Permanent("JRN-006", f"{doing}: {name(error)}")


def unusable(doing: str, error: BaseException) -> Permanent:
    """``JRN-004``: the file cannot be opened as a journal."""
    return Permanent("JRN-004", f"{doing}: {name(error)}")


def of_reading(doing: str, error: sqlite3.Error) -> ConnectorError:
    """The family of a failed read."""
    return unwritable(doing, error) if passing(error) else lost(doing, error)


def name(error: BaseException) -> str:
    """The symbolic name of a result code or error number; a text could quote what was stored."""
    number = error.errno if isinstance(error, OSError) else None
    of_system = errno.errorcode.get(number) if number is not None else None
    return getattr(error, "sqlite_errorname", None) or of_system or type(error).__name__


def _in(error: sqlite3.Error, codes: frozenset[int]) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code in codes or code & _PRIMARY in codes)
