"""The audit log for operators: export it, check it, truncate what was exported."""

from collections.abc import AsyncIterator, Callable, Sequence

from connector.core.audit import AuditRecord
from connector.core.errors import Permanent, Rejected
from connector.core.events import AuditCut, Event
from connector.core.journal import Journal
from connector.core.model import SubjectKind, subject_key
from connector.core.secret import Credential
from connector.operators.acts import NO_TENANT, Stamp, events_for
from connector.operators.auditing import check_journal, trail_of
from connector.operators.verbs.acts import Receipt
from connector.operators.verbs.audit import (
    AuditQuery,
    AuditReport,
    CutTrail,
    Published,
    VerifyQuery,
)


class AuditLog:
    """The audit log of a journal, for operators.

    Args:
        journal: where it is.
        keys: the present key of its chains, and those before it.
        verified: called with the result of each check.
    """

    def __init__(
        self, journal: Journal, keys: Sequence[Credential], verified: Callable[[bool], None]
    ) -> None:
        self._journal = journal
        self._keys = keys
        self._verified = verified

    def export(self, query: AuditQuery) -> AsyncIterator[AuditRecord]:
        """The log of one partition behind a sequence number, or of all; without what was cut."""
        return trail_of(self._journal, query.partition, query.after)

    async def verify(self, query: VerifyQuery) -> AuditReport:
        """Check the log against its keys, the journal's own heads, and published ones."""
        report = await self._check(query.published)
        self._verified(report.whole)
        return report

    async def cut(self, act: CutTrail, stamp: Stamp) -> Receipt:
        """Ask the owners of the partitions to truncate their audit logs up to these records.

        Raises:
            Permanent: ``AUD-001`` when the log is not intact: then all of it is evidence.
            Rejected: ``AUD-003`` when a record that is named is not the journal's.
        """
        ends = [
            Published(partition=end.partition, count=end.count, head=end.head) for end in act.ends
        ]
        if not (await self._check(ends)).whole:
            if not (await self._check(())).whole:
                raise Permanent("AUD-001", "cutting the audit trail: it is not intact")
            raise Rejected("AUD-003", "an end of the export is not a record of the journal")
        if any(end.partition >= self._journal.partitions for end in ends):
            raise Rejected("AUD-003", "the export has partitions that the journal does not have")
        events: list[Event] = []
        for end in act.ends:
            body = AuditCut(
                by=stamp.operator.by, reason=act.reason, through=end.count, head=end.head
            )
            subject = subject_key(NO_TENANT, SubjectKind.PARTITION, str(end.partition))
            events += events_for(stamp, subject, [body])
        await self._journal.append(events)
        return Receipt(act="cut", subjects=tuple(event.subject for event in events))

    async def _check(self, published: Sequence[Published]) -> AuditReport:
        key, *old = self._keys
        chains = await check_journal(self._journal, key, published, old)
        return AuditReport(chains=tuple(chains))
