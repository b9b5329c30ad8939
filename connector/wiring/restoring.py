"""A restored journal: it starts paused, and everything is looked at again.

Since the backup, sets may have been uploaded, requests begun, and devices enrolled of which the
journal knows nothing. So every copy counts as perhaps there, open requests and users are looked at
again, and no act starts until a person resumes.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from connector.core.audit import AuditEntry
from connector.core.errors import Permanent, Rejected
from connector.core.events import Event, JournalRestored, Paused, event_id
from connector.core.journal import Journal, PartitionRecord, StatusFilter
from connector.core.model import SubjectKey, SubjectKind, parse_subject, subject_key
from connector.core.secret import Credential
from connector.journal.backup import put_back
from connector.journal.copying.writer import Writer
from connector.journal.leftovers import BEFORE
from connector.journal.lockfile import LockFile, lock_of
from connector.journal.settings import SqliteSettings
from connector.settings.model import Settings
from connector.wiring.audit_key import require_key
from connector.wiring.clock import MachineClock
from connector.wiring.journal import make_journal, require_whole
from connector.wiring.rekeying import Will
from connector.worker import brakes

ACTION = "journal.restored"
_PAGE = 200


def embedded(settings: Settings) -> SqliteSettings:
    """The settings of the embedded journal.

    Raises:
        Rejected: ``EVT-007`` when the journal is a clustered one.
    """
    if not isinstance(settings.journal, SqliteSettings):
        what = "only the embedded journal has a file; a clustered one is kept by its brokers"
        raise Rejected("EVT-007", what)
    return settings.journal


def restore(settings: Settings, copy: Path, will: Will, key: RSAPrivateKey | None = None) -> Path:
    """Put a backup in the place of the journal, marked as restored; where the old one is now.

    Raises:
        Rejected: as :func:`embedded`.
        Permanent: ``JRN-004`` when a service holds the journal, or the backup is none; ``JRN-018``
            when it is encrypted and not for ``key``; ``AUD-004`` when its trail was
            made with another key.
    """
    wanted = embedded(settings)
    aside = wanted.path.with_name(f"{wanted.path.name}{BEFORE}{will.now}")
    lock = LockFile(lock_of(wanted.path))
    lock.take()
    try:
        marked = lambda file: asyncio.run(_marked(wanted, file, will))  # noqa: E731 - once
        put_back(copy, wanted.path, marked, aside, key)
    finally:
        lock.release()
    return aside


async def _marked(wanted: SqliteSettings, file: Path, will: Will) -> None:
    journal = make_journal(wanted.model_copy(update={"path": file}), MachineClock(), _lost)
    await journal.open()
    try:
        await require_whole(journal)
        await require_key(journal, will.key)
        await mark(journal, will)
    finally:
        await journal.close()


def _lost(_fault: Permanent) -> None:
    """The next call on the journal raises it."""


async def mark_served(settings: Settings, journal: Journal, key: Credential, by: str) -> None:
    """Mark the journal of a service that starts on an older snapshot, if the settings say so.

    Raises:
        Rejected: as :func:`embedded`.
    """
    if not by:
        return
    embedded(settings)
    await mark(journal, Will(key, (), by, "serve --restored", MachineClock().now()))


async def mark(journal: Journal, will: Will) -> None:
    """Pause every partition, and send every holder an event that the journal was restored."""
    writer = Writer(journal, will.key)
    await writer.take_over()
    for record in list(writer.records):
        held, paused = brakes.apply(record.brakes, _pause(record, will), will.now)
        entry = AuditEntry(
            at=will.now,
            subject=paused.subject,
            action=ACTION,
            actor=will.by,
            reason=will.reason,
            details={"newest": record.time, "commits": record.commits},
        )
        await writer.note(record.partition, [entry, paused], brakes=held, restored=will.now)
    async for keys in _holders(journal):
        await journal.append([_told(key, will) for key in keys])


async def _holders(journal: Journal) -> AsyncIterator[list[SubjectKey]]:
    after = ""
    while page := await journal.status(StatusFilter(after=after, limit=_PAGE)):
        yield [state.key for state in page]
        after = page[-1].key


def _pause(record: PartitionRecord, will: Will) -> Event:
    subject = subject_key("-", SubjectKind.PARTITION, str(record.partition))
    return Event(
        id=event_id(ACTION, str(will.now), subject),
        tenant="-",
        subject=subject,
        source="operator",
        received_at=will.now,
        body=Paused(by=will.by, reason=f"restored: {will.reason}"[:512]),
    )


def _told(key: SubjectKey, will: Will) -> Event:
    return Event(
        id=event_id(ACTION, str(will.now), key),
        tenant=parse_subject(key).tenant,
        subject=key,
        source="operator",
        received_at=will.now,
        body=JournalRestored(by=will.by, reason=will.reason),
    )
