"""Checking an audit chain that arrives record by record, from the journal or from an export."""

from collections.abc import AsyncIterator, Iterable

from connector.admin.audit_records import ChainReport, Published
from connector.core.audit import GENESIS, AuditRecord, Finding, says_cut, verify
from connector.core.errors import Rejected
from connector.core.journal import Journal, PartitionRecord
from connector.core.secret import Credential

MOST_FINDINGS = 100


class ChainCheck:
    """The check of one partition's chain; records are given to :meth:`take` in order."""

    def __init__(
        self,
        key: Credential,
        partition: int,
        published: Iterable[Published],
        start: tuple[int, str] = (0, GENESIS),
    ) -> None:
        """``published`` are heads and counts that the chain must have reached.

        ``start`` is (sequence, MAC) of the last record that was cut: then one of those that are
        left must say so. What was published of earlier ones is not asked for again.
        """
        self._key = key
        self._partition = partition
        self._start = start
        self._ends = [known for known in published if known.count is None]
        marks = [known for known in published if (known.count or 0) > start[0]]
        self._marks = sorted(marks, key=lambda known: known.count or 0)
        self._last = start
        self._witnessed = start[0] == 0
        self._findings: list[Finding] = []

    def take(self, record: AuditRecord) -> None:
        """Check the next record."""
        self._check([record])
        self._last = (record.sequence, record.mac)
        self._witnessed = self._witnessed or says_cut(record.entry, self._start)
        while self._marks and (self._marks[0].count or 0) <= record.sequence:
            self._check([], self._marks.pop(0))

    def report(self) -> ChainReport:
        """What was found, after the last record."""
        for known in (*self._marks, *self._ends):
            self._check([], known)
        if not self._witnessed:
            self._find(self._start[0], "the trail was cut here, and no record says who did it")
        count, head = self._last
        return ChainReport(
            partition=self._partition,
            count=count,
            head=head if count else "",
            cut=self._start[0],
            findings=tuple(self._findings[:MOST_FINDINGS]),
        )

    def _find(self, sequence: int, problem: str) -> None:
        self._findings.append(
            Finding(partition=self._partition, sequence=sequence, problem=problem)
        )

    def _check(self, records: list[AuditRecord], known: Published | None = None) -> None:
        self._findings += verify(
            self._key,
            self._partition,
            records,
            head=known.head if known else None,
            count=known.count if known else None,
            start=self._last,
        )


async def check_chain(check: ChainCheck, records: AsyncIterator[AuditRecord]) -> ChainReport:
    """Check a whole chain."""
    async for record in records:
        check.take(record)
    return check.report()


def start_of(record: PartitionRecord) -> tuple[int, str]:
    """Sequence and MAC behind which the trail of a partition begins."""
    return record.audit_cut, record.audit_cut_head or GENESIS


async def trail_of(
    journal: Journal, partition: int | None, after: int
) -> AsyncIterator[AuditRecord]:
    """The trail of one partition behind a sequence number, or of all; without what was cut.

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
    journal: Journal, key: Credential, published: Iterable[Published]
) -> list[ChainReport]:
    """Check all chains of a journal; its own heads are read first, as it grows meanwhile."""
    known = list(published)
    reports = []
    for record in await journal.records():
        own = Published(
            partition=record.partition, count=record.audit_count, head=record.audit_head or None
        )
        marks = [own, *(one for one in known if one.partition == record.partition)]
        check = ChainCheck(key, record.partition, marks, start_of(record))
        trail = journal.audit(record.partition, record.audit_cut)
        reports.append(await check_chain(check, trail))
    return reports
