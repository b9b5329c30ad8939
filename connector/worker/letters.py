"""Acts of people on dead letters: written down by the owner of the partition that holds them."""

from connector.core.audit import AuditEntry
from connector.core.events import Event, LetterAct
from connector.core.model import Millis


def entry(event: Event, act: LetterAct, now: Millis) -> AuditEntry:
    """Who gave which letter up, or put it in again, and why; the letter by place and digest."""
    return AuditEntry(
        at=now,
        subject=event.subject,
        action=f"person.{act.kind}",
        actor=act.by,
        reason=act.reason,
        details={"position": act.position, "code": act.code, "letter": act.letter},
    )
