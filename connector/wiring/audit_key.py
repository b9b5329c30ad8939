"""Whether the mounted key is the one that the audit trail was made with."""

from collections.abc import Callable
from pathlib import Path

from connector.core.audit import GENESIS, fits, key_name
from connector.core.conditions import Severity
from connector.core.errors import Permanent
from connector.core.journal import Journal, PartitionRecord
from connector.core.secret import Credential
from connector.mounted import read_secret
from connector.settings.model import Settings
from connector.wiring.conditions import Board

NAME = "audit-key"


def audit_keys(
    settings: Settings, read: Callable[[Path], Credential] = read_secret
) -> tuple[Credential, ...]:
    """The present key of the trail, and those before it."""
    files = (settings.audit.key_file, *settings.audit.old_key_files)
    return tuple(map(read, files))


def report_key(mounted: Credential, used: Credential, board: Board) -> None:
    """Say when another key is mounted than the one in use: the next start will be refused."""
    if key_name(mounted) == key_name(used):
        board.clear(NAME)
    else:
        text = "another audit key is mounted; the one from the start is in use until the next"
        board.report(NAME, Severity.WARNING, "AUD-004", text)


async def require_key(journal: Journal, key: Credential) -> None:
    """See that an open journal's trail can be continued with this key.

    Raises:
        Permanent: ``AUD-004`` when it was made with another.
    """
    name = key_name(key)
    for record in await journal.records():
        if record.audit_key and record.audit_key != name:
            text = f"the trail was made with key {record.audit_key}, the mounted one is {name}"
            raise Permanent("AUD-004", text)
        if not record.audit_key and not await _continues(journal, key, record):
            text = f"the last audit record of partition {record.partition} was made with another"
            raise Permanent("AUD-004", text)


async def _continues(journal: Journal, key: Credential, record: PartitionRecord) -> bool:
    """Whether the last record fits the key, where a version wrote it that did not name its key."""
    count, cut = record.audit_count, record.audit_cut
    previous = record.audit_cut_head or GENESIS if count - 1 <= cut else None
    async for row in journal.audit_rows(record.partition, max(count - 2, cut)):
        if row.record is None:
            return True  # a damaged trail, which the check of the trail tells
        if row.sequence == count and previous is not None:
            return fits(key, previous, row.record)
        previous = row.record.mac
    return True
