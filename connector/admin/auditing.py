"""Checking an audit chain that arrives record by record, from the journal or from an export."""

from collections.abc import AsyncIterator, Iterable

from connector.admin.records import ChainReport, Published
from connector.core.audit import GENESIS, AuditRecord, Finding, verify
from connector.core.secret import Credential

MOST_FINDINGS = 100


class ChainCheck:
    """The check of one partition's chain; records are given to :meth:`take` in order."""

    def __init__(self, key: Credential, partition: int, published: Iterable[Published]) -> None:
        """``published`` are heads and counts that the chain must have reached."""
        self._key = key
        self._partition = partition
        self._ends = [known for known in published if known.count is None]
        self._marks = sorted(
            (known for known in published if known.count), key=lambda known: known.count or 0
        )
        self._last = (0, GENESIS)
        self._findings: list[Finding] = []

    def take(self, record: AuditRecord) -> None:
        """Check the next record."""
        self._check([record])
        self._last = (record.sequence, record.mac)
        while self._marks and (self._marks[0].count or 0) <= record.sequence:
            self._check([], self._marks.pop(0))

    def report(self) -> ChainReport:
        """What was found, after the last record."""
        for known in (*self._marks, *self._ends):
            self._check([], known)
        count, head = self._last
        return ChainReport(
            partition=self._partition,
            count=count,
            head=head if count else "",
            findings=tuple(self._findings[:MOST_FINDINGS]),
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
