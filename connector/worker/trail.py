"""The audit trail of a partition: whether it can be continued, and its cut beginning."""

from connector.core.audit import CUT, AuditEntry, key_name
from connector.core.errors import Permanent
from connector.core.events import AuditCut, Event
from connector.core.journal import PartitionRecord
from connector.core.model import Millis
from connector.core.secret import Credential


def require_ours(record: PartitionRecord, key: Credential) -> None:
    """See that a partition is whole, and that its trail was made with this key.

    Raises:
        Permanent: ``JRN-010`` when it is half copied, ``AUD-004`` when the key is another.
    """
    if record.copying:
        raise Permanent("JRN-010", f"taking over partition {record.partition}")
    if record.audit_key not in {"", key_name(key)}:
        raise Permanent("AUD-004", f"taking over partition {record.partition}")


def cut(
    record: PartitionRecord, event: Event, act: AuditCut, now: Millis
) -> tuple[PartitionRecord, AuditEntry]:
    """The record with a later beginning of the trail, and who wanted it.

    The entry stays in the trail behind the cut and names what the next record is chained to, so
    that nobody can give up records without a trace. A cut that was overtaken changes nothing.
    """
    overtaken = not record.audit_cut < act.through <= record.audit_count
    entry = AuditEntry(
        at=now,
        subject=event.subject,
        action=CUT,
        actor=act.by,
        reason=act.reason,
        outcome="EVT-007" if overtaken else "ok",
        details={"through": act.through, "head": act.head},
    )
    if overtaken:
        return record, entry
    return record.model_copy(update={"audit_cut": act.through, "audit_cut_head": act.head}), entry
