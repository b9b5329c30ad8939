"""The story of every delivery in the log: one line per audit record, once it is durable.

A line says what happened to whom, in which delivery, with which outcome; partition and sequence
lead to the record itself. Users appear as their hash. Words that people or upstreams chose
(reasons, names, addresses) stay in the audit trail.
"""

import logging

import structlog

from connector.core.audit import AuditRecord
from connector.core.model import SubjectKind, parse_subject

OK = "ok"
WHOSE = {
    SubjectKind.HOLDER: "holder",
    SubjectKind.DEVICE: "device",
    SubjectKind.PERSON: "person",
}
LOOKS = frozenset(
    {
        *("device.looked_up", "holder.looked_up", "escrow.listed", "escrow.checked"),
        *("recovery.looked", "install.looked", "copy.looked", "act.stale_outcome", "looks.summed"),
    }
)
"""Repeated while nothing changes: logged at level debug only, unless it failed."""

log = structlog.get_logger("connector.story")


def tell(record: AuditRecord) -> None:
    """Log an audit record that has been committed."""
    entry = record.entry
    subject = parse_subject(entry.subject)
    facts: dict[str, object] = {
        "action": entry.action,
        "partition": record.partition,
        "sequence": record.sequence,
        "route": entry.route,
        "delivery_id": entry.delivery,
        "keys": len(entry.generations) or None,
        "error_code": None if entry.outcome == OK else entry.outcome,
    }
    if whose := WHOSE.get(subject.kind):
        facts[whose] = entry.subject
    told = {name: value for name, value in facts.items() if value is not None}
    log.log(_level(record), "audit.recorded", **told)


def _level(record: AuditRecord) -> int:
    if record.entry.outcome != OK:
        return logging.WARNING
    return logging.DEBUG if record.entry.action in LOOKS else logging.INFO
