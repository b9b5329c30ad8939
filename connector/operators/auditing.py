"""Check an audit chain record by record, from the journal or from an export."""

from collections.abc import AsyncIterator, Iterable, Sequence

from connector.core.audit import GENESIS, AuditRecord, AuditRow
from connector.core.errors import Rejected
from connector.core.journal import Journal, PartitionRecord
from connector.core.secret import Credential
from connector.operators.chain_check import ChainCheck
from connector.operators.verbs.audit import ChainReport, Published


async def check_chain(check: ChainCheck, rows: AsyncIterator[AuditRow]) -> ChainReport:
    """Check a whole chain."""
    async for row in rows:
        check.take(row)
    return check.report()


def start_of(record: PartitionRecord) -> tuple[int, str]:
    """Sequence and MAC behind which the audit log of a partition begins."""
    return record.audit_cut, record.audit_cut_head or GENESIS


async def trail_of(
    journal: Journal, partition: int | None, after: int
) -> AsyncIterator[AuditRecord]:
    """The audit log of one partition behind a sequence number, or of all; without what was cut.

    Raises:
        Rejected: ``EVT-007`` when there is no such partition.
    """
    if partition is not None and partition >= journal.partitions:
        raise Rejected("EVT-007", f"there are {journal.partitions} partitions")
    for known in await journal.records():
        if partition in {None, known.partition}:
            behind = max(after, known.audit_cut)
            async for record in journal.audit(known.partition, behind):
                yield record


async def check_journal(
    journal: Journal,
    key: Credential,
    published: Iterable[Published],
    old: Sequence[Credential] = (),
) -> list[ChainReport]:
    """Check all chains of a journal; its own heads are read first, as it grows meanwhile.

    ``old`` are keys that the chains were made with before.
    """
    known = list(published)
    own = await journal.own_records()
    reports = []
    for number in sorted({*own, *range(journal.partitions)}):
        marks = [one for one in known if one.partition == number]
        reports.append(await check_partition(journal, key, (number, own.get(number)), marks, old))
    return reports


async def check_partition(
    journal: Journal,
    key: Credential,
    partition: tuple[int, PartitionRecord | None],
    published: Sequence[Published] = (),
    old: Sequence[Credential] = (),
) -> ChainReport:
    """Check one chain; ``partition`` is its number and own record, None for a damaged one."""
    number, record = partition
    check = _begun(key, number, record, published, old)
    if number >= journal.partitions:
        check.find(0, "there is no such partition")
    after = 0 if record is None else record.audit_cut
    return await check_chain(check, journal.audit_rows(number, after))


def _begun(
    key: Credential,
    number: int,
    record: PartitionRecord | None,
    marks: Sequence[Published],
    old: Sequence[Credential],
) -> ChainCheck:
    """A check against the partition's own record, or without it when it is damaged."""
    if record is None:
        check = ChainCheck(key, number, marks, old=old)
        check.find(0, "the partition's own record cannot be read, or is not there")
        return check
    head = record.audit_head or None
    own = Published(partition=number, count=record.audit_count, head=head)
    return ChainCheck(key, number, [own, *marks], start_of(record), old)
