"""Checking an audit chain that arrives record by record, from the journal or from an export."""

from collections.abc import AsyncIterator, Iterable, Sequence

from connector.admin.audit_records import ChainReport, Published
from connector.core.audit import (
    GENESIS,
    AuditRecord,
    AuditRow,
    Finding,
    problems,
    says_cut,
    verify,
)
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
        self._found = 0

    def take(self, row: AuditRow) -> None:
        """Check the next record; one that cannot be read leaves the chain where it was."""
        for problem in problems(self._key, self._partition, self._last, row):
            self.find(row.sequence, problem)
        if row.record is None:
            return
        self._last = (row.sequence, row.record.mac)
        self._witnessed = self._witnessed or says_cut(row.record.entry, self._start)
        while self._marks and (self._marks[0].count or 0) <= row.sequence:
            self._compare(self._marks.pop(0))

    def report(self) -> ChainReport:
        """What was found, after the last record."""
        for known in (*self._marks, *self._ends):
            self._compare(known)
        if not self._witnessed:
            self.find(self._start[0], "the trail was cut here, and no record says who did it")
        count, head = self._last
        return ChainReport(
            partition=self._partition,
            count=count,
            head=head if count else "",
            cut=self._start[0],
            findings=tuple(self._findings),
            found=self._found,
        )

    def find(self, sequence: int, problem: str) -> None:
        """Add a finding; only the first ones are kept, all are counted."""
        self._found += 1
        if self._found <= MOST_FINDINGS:
            self._findings.append(
                Finding(partition=self._partition, sequence=sequence, problem=problem)
            )

    def _compare(self, known: Published) -> None:
        for finding in verify(
            self._key,
            self._partition,
            (),
            head=known.head,
            count=known.count,
            start=self._last,
        ):
            self.find(finding.sequence, finding.problem)


async def check_chain(check: ChainCheck, rows: AsyncIterator[AuditRow]) -> ChainReport:
    """Check a whole chain."""
    async for row in rows:
        check.take(row)
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
    own = await journal.own_records()
    return [
        await _check_partition(
            journal, key, number, own.get(number), [one for one in known if one.partition == number]
        )
        for number in sorted({*own, *range(journal.partitions)})
    ]


async def _check_partition(
    journal: Journal,
    key: Credential,
    number: int,
    record: PartitionRecord | None,
    marks: Sequence[Published],
) -> ChainReport:
    """Check one chain against its partition's own record, or without it when it is damaged."""
    if record is None:
        check = ChainCheck(key, number, marks)
        check.find(0, "the partition's own record cannot be read, or is not there")
        return await check_chain(check, journal.audit_rows(number))
    head = record.audit_head or None
    own = Published(partition=number, count=record.audit_count, head=head)
    check = ChainCheck(key, number, [own, *marks], start_of(record))
    if number >= journal.partitions:
        check.find(0, "there is no such partition")
    return await check_chain(check, journal.audit_rows(number, record.audit_cut))
