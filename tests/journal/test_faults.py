"""Every result code of SQLite has a meaning for the journal."""

import errno
import sqlite3

import pytest

from connector.catalogue import catalogue
from connector.core.errors import Permanent, Transient
from connector.journal import faults
from tests.journal.faulty import sqlite_error

LOST = {
    "ABORT", "AUTH", "CANTOPEN", "CORRUPT", "EMPTY", "ERROR", "FORMAT", "INTERNAL", "IOERR",
    "NOLFS", "NOTADB", "NOTFOUND", "PERM", "PROTOCOL", "READONLY", "SCHEMA",
}  # fmt: skip
PASSING = {"BUSY", "FULL", "INTERRUPT", "LOCKED", "NOMEM"}
CALLERS = {"CONSTRAINT", "MISMATCH", "MISUSE", "RANGE", "TOOBIG"}
NO_ERRORS = {"OK", "ROW", "DONE", "NOTICE", "WARNING"}
ACTIONS = {
    "ANALYZE", "ATTACH", "DELETE", "DENY", "DETACH", "FUNCTION", "IGNORE", "INSERT", "PRAGMA",
    "READ", "RECURSIVE", "REINDEX", "SAVEPOINT", "SELECT", "TRANSACTION", "UPDATE",
}  # fmt: skip
"""What an authorizer is asked about; no results."""


def result_codes() -> dict[str, int]:
    """The primary result codes that the driver names; other constants have other shapes."""
    known = LOST | PASSING | CALLERS | NO_ERRORS
    actions = ("CREATE_", "DROP_", "LIMIT_", "ALTER_")
    others = {
        "ANALYZE", "ATTACH", "DELETE", "DENY", "DETACH", "FUNCTION", "IGNORE", "INSERT", "PRAGMA",
        "READ", "RECURSIVE", "REINDEX", "SAVEPOINT", "SELECT", "TRANSACTION", "UPDATE",
    }  # fmt: skip
    named = {
        name.removeprefix("SQLITE_"): value
        for name, value in vars(sqlite3).items()
        if name.startswith("SQLITE_") and isinstance(value, int)
    }
    return {
        name: value
        for name, value in named.items()
        if name in known
        or ("_" not in name and name not in others and not name.startswith(actions))
    }


def test_every_result_code_is_sorted() -> None:
    """A code that a newer SQLite adds must be given a meaning here first."""
    assert set(result_codes()) == LOST | PASSING | CALLERS | NO_ERRORS


@pytest.mark.parametrize("name", sorted(LOST | PASSING | CALLERS))
def test_each_code_means_what_the_table_says(name: str) -> None:
    """Lost, passing, or the caller's."""
    error = sqlite_error(result_codes()[name], f"SQLITE_{name}")
    assert faults.passing(error) is (name in PASSING)
    assert faults.contradiction(error) is (name in CALLERS)
    expected = Transient if name in PASSING else Permanent
    assert isinstance(faults.of_reading("reading", error), expected)


def test_an_extended_code_wins_over_its_primary_one() -> None:
    """A full disk under the shared index is no failed sync, though both are I/O errors."""
    assert faults.passing(sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE, "x"))
    assert not faults.passing(sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "x"))
    assert faults.passing(sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT, "x"))
    assert faults.contradiction(sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE, "x"))


def test_the_text_of_an_error_is_not_repeated() -> None:
    """It could quote what was stored; the symbolic name says enough."""
    error = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC")
    error.args = ("marker-value",)
    for fault in (faults.lost("syncing", error), faults.unwritable("writing", error)):
        assert str(fault).endswith("SQLITE_IOERR_FSYNC")


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_FULL, "SQLITE_FULL"),
        sqlite_error(sqlite3.SQLITE_CORRUPT, "SQLITE_CORRUPT"),
        sqlite_error(sqlite3.SQLITE_NOTADB, "SQLITE_NOTADB"),
        OSError(errno.ENOSPC, "marker-value"),
    ],
    ids=faults.name,
)
def test_a_full_or_damaged_disk_is_named_with_its_remedy(error: Exception) -> None:
    """What stands in the detail is found again in what to do."""
    detail = faults.unusable("opening journal file", error).detail
    assert "marker-value" not in detail
    assert detail.rpartition(": ")[2] in catalogue()["JRN-004"].action
