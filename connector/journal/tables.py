"""The tables, and how an older file becomes a newer one.

A file says by ``application_id`` that it is a journal and by ``user_version`` how many of the
``STEPS`` it has seen. A new file takes all of them; nothing else makes tables.
"""

from connector.core.errors import Permanent
from connector.core.journal import PartitionRecord
from connector.journal.database import Connection

APPLICATION_ID = 0x504B494A  # "PKIJ"

_TABLES = (
    """CREATE TABLE partitions (
        partition INTEGER PRIMARY KEY,
        epoch INTEGER NOT NULL,
        position INTEGER NOT NULL,
        audit_count INTEGER NOT NULL,
        record BLOB NOT NULL
    )""",
    # event is NULL once it was consumed and its payload deleted; the id still detects repeats.
    """CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        partition INTEGER NOT NULL REFERENCES partitions,
        id TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        event BLOB
    )""",
    "CREATE INDEX events_kept ON events (partition, position) WHERE event IS NOT NULL",
    # state comes last, so that a scan of the columns before it never reads overflow pages.
    """CREATE TABLE states (
        key TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        tenant TEXT NOT NULL,
        partition INTEGER NOT NULL REFERENCES partitions,
        act_epoch INTEGER,
        phase TEXT NOT NULL,
        route TEXT NOT NULL,
        code TEXT NOT NULL,
        version INTEGER NOT NULL,
        state BLOB NOT NULL
    )""",
    "CREATE INDEX states_acts ON states (partition, act_epoch) WHERE act_epoch IS NOT NULL",
    """CREATE TABLE wants (
        key TEXT NOT NULL,
        lane TEXT NOT NULL,
        due INTEGER NOT NULL,
        partition INTEGER NOT NULL REFERENCES partitions,
        PRIMARY KEY (key, lane)
    ) WITHOUT ROWID""",
    "CREATE INDEX wants_due ON wants (partition, lane, due)",
    """CREATE TABLE audit (
        partition INTEGER NOT NULL REFERENCES partitions,
        sequence INTEGER NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (partition, sequence)
    ) WITHOUT ROWID""",
    """CREATE TABLE dead_letters (
        partition INTEGER NOT NULL REFERENCES partitions,
        position INTEGER NOT NULL,
        letter BLOB NOT NULL,
        PRIMARY KEY (partition, position)
    ) WITHOUT ROWID""",
)

_LISTINGS = (
    "CREATE INDEX states_listed ON states (kind, key, phase, route, code)",
    "CREATE INDEX events_forgettable ON events (at) WHERE event IS NULL",
)

_SUBJECTS = (
    # The event's subject, once the payload that contains it was deleted.
    "ALTER TABLE events ADD COLUMN subject TEXT",
)

_COMMANDS = (
    # Events to a partition itself have their subject from the beginning, and are found by it ahead
    # of everything that waits before them.
    """UPDATE events SET subject = json_extract(CAST(event AS TEXT), '$.subject')
        WHERE event IS NOT NULL AND json_valid(CAST(event AS TEXT))
            AND json_extract(CAST(event AS TEXT), '$.subject') LIKE '%/partition/%'""",
    """CREATE INDEX events_commands ON events (partition, position)
        WHERE event IS NOT NULL AND subject IS NOT NULL""",
)

STEPS: tuple[tuple[str, ...], ...] = (_TABLES, _LISTINGS, _SUBJECTS, _COMMANDS)
"""What each schema version adds. Versions that were released never change."""

VERSION = len(STEPS)


def prepare(connection: Connection, partitions: int) -> None:
    """Make or upgrade the tables in one transaction, and check that they are this journal's.

    Raises:
        Permanent: ``JRN-004`` when the file is another program's or a newer version's;
            ``JRN-005`` when it was made with another number of partitions.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _known_version(connection)
        upgrade(connection, version, VERSION)
        if version == 0:
            _add_partitions(connection, partitions)
        _check_partitions(connection, partitions)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def require_known(connection: Connection) -> None:
    """See that a file is a journal of this or an older version.

    Raises:
        Permanent: ``JRN-004`` when it is not.
    """
    if _known_version(connection) == 0:
        raise Permanent("JRN-004", "opening journal: the file is not a journal")


def upgrade(connection: Connection, version: int, to: int) -> None:
    """Take the steps between two schema versions, inside the caller's transaction."""
    for step in STEPS[version:to]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {to}")


def _known_version(connection: Connection) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise Permanent("JRN-004", "opening journal: the file belongs to another program")
    if version > VERSION:
        raise Permanent(
            "JRN-004", f"opening journal: schema version {version}, this program knows {VERSION}"
        )
    return int(version)


def _add_partitions(connection: Connection, partitions: int) -> None:
    empty = [PartitionRecord(partition=partition) for partition in range(partitions)]
    connection.executemany(
        "INSERT INTO partitions VALUES (?, 0, 0, 0, ?)",
        [(record.partition, record.model_dump_json().encode()) for record in empty],
    )


def _check_partitions(connection: Connection, partitions: int) -> None:
    (made,) = connection.execute("SELECT count(*) FROM partitions").fetchone()
    if made != partitions:
        raise Permanent(
            "JRN-005", f"opening journal: made with {made} partitions, settings say {partitions}"
        )
