"""The table of record versions: each subject's newest record, and the ids that it knows.

It stands beside the tables that both journals share, in the local file of one pod.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from connector.core.model import Millis, SubjectKey
from connector.journal import states as state_tables
from connector.journal.database import Connection
from connector.journal.kafka.records import Head, StateRecord
from connector.journal.states import StateColumns, WantColumns

TABLES = (
    """CREATE TABLE heads (
        key TEXT PRIMARY KEY,
        partition INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        version INTEGER NOT NULL,
        seen BLOB NOT NULL,
        newest INTEGER NOT NULL,
        bare INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX heads_bare ON heads (partition, newest) WHERE bare AND seen <> x'7b7d'",
)

_PUT = "INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?, ?, ?)"

_OF = "SELECT * FROM heads WHERE key IN (SELECT value FROM json_each(?))"

_FORGETTABLE = """
    SELECT * FROM heads
    WHERE bare AND seen <> x'7b7d' AND partition = ? AND newest < ? ORDER BY newest LIMIT ?"""

_REMEMBERING = """
    SELECT key, seen FROM heads WHERE key > ? AND seen <> x'7b7d' ORDER BY key LIMIT ?"""

_COLUMNS = "SELECT * FROM states WHERE key IN (SELECT value FROM json_each(?))"

_WANTS = """
    SELECT key, lane, due, partition FROM wants
    WHERE key IN (SELECT value FROM json_each(?))"""


def apply(connection: Connection, records: Iterable[StateRecord]) -> None:
    """Write what is newer than what is known, inside the caller's transaction.

    Per subject the greatest (epoch, version) counts: a compacted topic has gaps, and the record of
    an aborted transaction could turn up in a later one.
    """
    newest: dict[SubjectKey, StateRecord] = {}
    for record in records:
        other = newest.get(record.head.key)
        if other is None or record.head.rank > other.head.rank:
            newest[record.head.key] = record
    known = of(connection, list(newest))
    _put_new(connection, [one for key, one in newest.items() if key not in known])
    _replace(
        connection,
        [one for key, one in newest.items() if key in known and one.head.rank > known[key].rank],
    )


def of(connection: Connection, keys: Sequence[SubjectKey]) -> dict[SubjectKey, Head]:
    """The newest versions of these subjects; unknown ones are missing."""
    rows = connection.execute(_OF, (json.dumps(list(keys)),))
    return {row[0]: Head._make(row) for row in rows}


def forgettable(connection: Connection, partition: int, before: Millis, limit: int) -> list[Head]:
    """Subjects without a state whose ids are all older than a time, oldest first."""
    rows = connection.execute(_FORGETTABLE, (partition, before, limit))
    return [Head._make(row) for row in rows]


def remembering(
    connection: Connection, after: SubjectKey, limit: int
) -> list[tuple[SubjectKey, bytes]]:
    """Subjects behind a key with the ids that they remember, by key."""
    return connection.execute(_REMEMBERING, (after, limit)).fetchall()


def contents(
    connection: Connection, keys: Sequence[SubjectKey]
) -> Mapping[SubjectKey, tuple[StateColumns, list[WantColumns]]]:
    """The states of these subjects as they are stored, with what they want."""
    names = (json.dumps(list(keys)),)
    found: dict[SubjectKey, tuple[StateColumns, list[WantColumns]]] = {
        row[0]: (StateColumns(*row), []) for row in connection.execute(_COLUMNS, names)
    }
    for want in connection.execute(_WANTS, names):
        found[want[0]][1].append(want)
    return found


def _put_new(connection: Connection, records: Sequence[StateRecord]) -> None:
    """Insert new subjects, which have no rows that must be removed first."""
    connection.executemany(
        state_tables.PUT, [one.columns for one in records if one.columns is not None]
    )
    connection.executemany(state_tables.WANT, [want for one in records for want in one.wants])
    connection.executemany(_PUT, [one.head for one in records])


def _replace(connection: Connection, records: Sequence[StateRecord]) -> None:
    state_tables.put(
        connection,
        [one.columns for one in records if one.columns is not None],
        [want for one in records for want in one.wants],
    )
    state_tables.remove(connection, [one.head.key for one in records if one.columns is None])
    connection.executemany(_PUT, [one.head for one in records])
