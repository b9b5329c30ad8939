"""Continue an audit log under another key, or in spite of accepted damage.

Both write one record into each chain concerned, which can only be made with the key, and
which names what it stands behind; ``audit verify`` understands them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from connector.core.audit import ACCEPTED, REKEYED, AuditEntry, key_name
from connector.core.errors import Permanent, Rejected
from connector.core.journal import Journal, PartitionRecord
from connector.core.model import Millis, SubjectKind, subject_key
from connector.core.secret import Credential
from connector.journal.copying.writer import Writer
from connector.operators.auditing import check_journal, check_partition
from connector.operators.verbs.audit import ChainReport


@dataclass(frozen=True, slots=True)
class Will:
    """Who wants it, why and when; ``key`` is the present key, ``old`` those before it."""

    key: Credential
    old: Sequence[Credential]
    by: str
    reason: str
    now: Millis


async def rekey(journal: Journal, will: Will, last: Credential | None) -> list[int]:
    """Continue every chain under the present key; the partitions that were.

    Args:
        journal: open, and not served.
        will: whose it is.
        last: the key used so far; None when it is lost, and nothing can be checked with it.

    Raises:
        Permanent: ``AUD-001`` when a chain is not whole under the last key.
        Rejected: ``EVT-007`` when last and present key are the same.
    """
    new = key_name(will.key)
    if last is not None and key_name(last) == new:
        raise Rejected("EVT-007", "the old and the new audit key are the same")
    wanted = [one for one in await journal.records() if one.audit_count and one.audit_key != new]
    if last is not None:
        await _require_whole(journal, last, wanted, will.old)
    writer = Writer(journal, will.key)
    await writer.take_over()
    for record in wanted:
        details: dict[str, JsonValue] = {
            "old_key": record.audit_key if last is None else key_name(last),
            "new_key": new,
            "checked": last is not None,
        }
        await _note(writer, record, REKEYED, details, will)
    return [record.partition for record in wanted]


async def accept(journal: Journal, will: Will, *, dry_run: bool) -> list[ChainReport]:
    """Accept all that is wrong with the chains; the reports of what was wrong.

    Raises:
        Permanent: ``JRN-012`` when a partition's own record is damaged: that cannot be accepted.
    """
    reports = await check_journal(journal, will.key, (), will.old)
    broken = [report for report in reports if report.found]
    if dry_run or not broken:
        return broken
    records = {record.partition: record for record in await journal.records()}
    writer = Writer(journal, will.key)
    await writer.take_over()
    for report in broken:
        details: dict[str, JsonValue] = {
            "first": report.first,
            "found": report.found,
            "digest": report.stored,
            "unreadable": report.unreadable,
            "key": key_name(will.key),
        }
        await _note(writer, records[report.partition], ACCEPTED, details, will)
    return broken


async def _require_whole(
    journal: Journal, last: Credential, records: list[PartitionRecord], old: Sequence[Credential]
) -> None:
    before = [one for one in old if key_name(one) != key_name(last)]
    for record in records:
        place = (record.partition, record)
        report = await check_partition(journal, last, place, (), before)
        if report.found:
            where = f"partition {record.partition}, record {report.first}"
            raise Permanent("AUD-001", f"changing the audit key: {where} does not fit the old key")


async def _note(
    writer: Writer,
    record: PartitionRecord,
    action: str,
    details: dict[str, JsonValue],
    will: Will,
) -> None:
    entry = AuditEntry(
        at=will.now,
        subject=subject_key("-", SubjectKind.PARTITION, str(record.partition)),
        action=action,
        actor=will.by,
        reason=will.reason,
        details={"through": record.audit_count, "head": record.audit_head, **details},
    )
    await writer.note(record.partition, [entry])
