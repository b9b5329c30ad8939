"""When the log is copied into the database file.

SQLite would do it inside a commit and ignore its errors. Here the writer thread does it between
transactions: when it is idle, or when so much has changed that the log must not grow further. The
number is high enough that under full load fewer than one request in a hundred waits behind one.
"""

import sqlite3

from connector.journal import faults
from connector.journal.database import Connection

_CHANGES = 8000
_IDLE_CHANGES = 500
_LONG_LOG = 8 * 16384


class Checkpoints:
    """Checkpoints of the one writing connection; used by its thread."""

    def __init__(self, connection: Connection, changes: int = _CHANGES) -> None:
        """``changes``: number of changed rows after which it does not wait for an idle moment."""
        self._connection = connection
        self._changes = changes
        self._done = connection.total_changes
        self._mode = "PASSIVE"

    @property
    def wanted_when_idle(self) -> bool:
        """Whether a checkpoint should be made as soon as the writer is idle."""
        return self._connection.total_changes - self._done >= _IDLE_CHANGES

    def run_when_due(self, *, idle: bool) -> None:
        """Checkpoint if there is reason to; a full disk only puts it off.

        Raises:
            Permanent: ``JRN-002`` when the file could not be synced.
        """
        enough = _IDLE_CHANGES if idle else self._changes
        if self._connection.total_changes - self._done < enough:
            return
        self._done = self._connection.total_changes
        try:
            row = self._connection.execute(f"PRAGMA wal_checkpoint({self._mode})").fetchone()
        except sqlite3.Error as error:
            if not faults.passing(error):
                raise faults.lost("checkpointing", error) from error
            return
        # Readers that never pause keep the log from starting over; then it waits for them once.
        self._mode = "RESTART" if row[1] > _LONG_LOG else "PASSIVE"
