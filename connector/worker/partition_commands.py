"""Commands to a partition other than brakes: cuts of the audit log, decisions on dead letters."""

from connector.core.audit import CUT, AuditEntry, key_name
from connector.core.errors import Permanent
from connector.core.events import AuditCut, Event, LetterAct
from connector.core.journal import PartitionRecord
from connector.core.model import Millis
from connector.core.secret import Credential


def require_ours(record: PartitionRecord, key: Credential) -> None:
    """Check that a partition is complete, and that this key made its audit chain.

    Raises:
        Permanent: ``JRN-010`` when it was copied in part only, ``AUD-004`` when another key made
            the chain.
    """
    if record.copying:
        raise Permanent("JRN-010", f"taking over partition {record.partition}")
    if record.audit_key not in {"", key_name(key)}:
        raise Permanent("AUD-004", f"taking over partition {record.partition}")


def cut(
    record: PartitionRecord, event: Event, act: AuditCut, now: Millis
) -> tuple[PartitionRecord, AuditEntry]:
    """The record whose audit log begins after the cut, and the audit entry for the cut.

    The entry is written behind the cut and names the MAC that the next record is chained to, so
    that every cut leaves a trace. A cut at or before the present beginning changes nothing.
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


def letter_entry(event: Event, act: LetterAct, now: Millis) -> AuditEntry:
    """The audit entry for a dead letter that a person dropped or re-queued, and why.

    It names the letter by its position and digest.
    """
    return AuditEntry(
        at=now,
        subject=event.subject,
        action=f"person.{act.kind}",
        actor=act.by,
        reason=act.reason,
        details={"position": act.position, "code": act.code, "letter": act.letter},
    )
