"""One transaction for all that waited: appends together, every other work in its savepoint."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

from connector.core.errors import ConnectorError
from connector.journal import faults
from connector.journal.database import Connection
from connector.journal.events import EventLog, EventRow

Work = Callable[[Connection, EventLog], Any]
"""One caller's statements. When it raises, only its own changes are undone."""


class Written(NamedTuple):
    """What became durable: an outcome per append and per work, and the partitions with news.

    A work's outcome is what it returned, or the error that undid it.
    """

    outcomes: list[Any]
    touched: set[int]


class Transactions:
    """Writes batches on the one writing connection; used by one thread."""

    def __init__(self, connection: Connection) -> None:
        """The tables must be there already."""
        self._connection = connection
        self._log = EventLog(connection)

    def write(self, appends: Sequence[Sequence[EventRow]], works: Sequence[Work]) -> Written:
        """Make it all durable in one commit.

        Raises:
            Transient: ``JRN-001``; it was rolled back and the journal is as before.
            Permanent: ``JRN-002``; what is on disk is not known, nothing may be written any more.
                ``JRN-017``; rows in the file contradict what is known of it: the same holds.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = self._append(appends)
            outcomes.extend(self._run(work) for work in works)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._rolled_back(error) from error
        return Written(outcomes, self._log.take_touched())

    def _append(self, appends: Sequence[Sequence[EventRow]]) -> list[Any]:
        if not appends:
            return []
        new = iter(self._log.insert(self._connection, list(chain.from_iterable(appends))))
        return [[next(new) for _ in rows] for rows in appends]

    def _run(self, work: Work) -> Any:
        try:
            with self._savepoint():
                return work(self._connection, self._log)
        except ConnectorError as refusal:
            return refusal
        except sqlite3.Error as error:
            if not faults.contradiction(error):
                raise
            return faults.refused("writing journal", error)

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self._connection.execute("SAVEPOINT work")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO work")
                self._connection.execute("RELEASE work")
            raise
        self._connection.execute("RELEASE work")

    def _rolled_back(self, error: sqlite3.Error) -> ConnectorError:
        """A failed sync may have made the kernel forget pages, so that it cannot be undone."""
        foreign = faults.contradiction(error)
        if not (foreign or faults.passing(error)):
            return faults.lost("writing journal", error)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as failure:
            return faults.lost("undoing a transaction", failure)
        if foreign:
            return faults.foreign("writing journal", error)
        self._log.take_touched()
        return faults.unwritable("writing journal", error)
