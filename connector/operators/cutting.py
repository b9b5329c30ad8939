"""Truncate the beginning of the audit log, once it was exported and found intact."""

from collections.abc import Sequence

from connector.core.errors import Permanent, Rejected
from connector.core.events import AuditCut, Event
from connector.core.journal import Journal
from connector.core.model import SubjectKind, subject_key
from connector.core.secret import Credential
from connector.operators.acts import NO_TENANT, Stamp, events_for
from connector.operators.audit_records import CutTrail, Published
from connector.operators.auditing import check_journal
from connector.operators.records import Receipt


async def cut(journal: Journal, keys: Sequence[Credential], act: CutTrail, stamp: Stamp) -> Receipt:
    """Ask the owners of the partitions to truncate their audit logs up to these records.

    ``keys`` are the present key of the chains, and those before it.

    Raises:
        Permanent: ``AUD-001`` when the log is not intact: then all of it is evidence.
        Rejected: ``AUD-003`` when a record that is named is not the journal's.
    """
    ends = [Published(partition=end.partition, count=end.count, head=end.head) for end in act.ends]
    if not await _whole(journal, keys, ends):
        if not await _whole(journal, keys, []):
            raise Permanent("AUD-001", "cutting the audit trail: it is not whole")
        raise Rejected("AUD-003", "an end of the export is not a record of the journal")
    if any(end.partition >= journal.partitions for end in ends):
        raise Rejected("AUD-003", "the export has partitions that the journal has not")
    events: list[Event] = []
    for end in act.ends:
        body = AuditCut(by=stamp.operator.by, reason=act.reason, through=end.count, head=end.head)
        subject = subject_key(NO_TENANT, SubjectKind.PARTITION, str(end.partition))
        events += events_for(stamp, subject, [body])
    await journal.append(events)
    return Receipt(act="cut", subjects=tuple(event.subject for event in events))


async def _whole(journal: Journal, keys: Sequence[Credential], ends: list[Published]) -> bool:
    key, *old = keys
    return not any(chain.found for chain in await check_journal(journal, key, ends, old))
