"""What a log line may carry: the events, and per event the keys. Everything else is dropped.

``event`` is a short constant, never a sentence with values. A test finds every log call of the
package and holds it against this table.
"""

from collections.abc import Mapping

FIRST = ("ts", "level", "event", "logger")

COMMON = frozenset(
    {"request_id", "delivery_id", "event_id", "trace_id", "partition", "error_code", "error"}
)
"""Keys that any event may carry: ids made by us, codes, classes of errors."""

USERS = frozenset({"user", "person", "holder"})
"""Keys whose value names a human; written as a keyed hash unless set otherwise."""

IDENTIFIERS = frozenset({"event_id", "delivery_id", "request_id", "trace_id", "fingerprint"})
"""Keys that hold long hexadecimal text by nature; the scrubber lets that, and only that, pass."""

FOREIGN = "library.message"
"""The event under which a library's own words appear: the template, without its values."""

EVENTS: Mapping[str, frozenset[str]] = {
    FOREIGN: frozenset({"message"}),
    "audit.recorded": frozenset(
        {"action", "sequence", "route", "delivery_id", "keys", "device", *USERS}
    ),
    "audit.check_failed": frozenset(),
    "condition.began": frozenset({"message"}),
    "condition.ended": frozenset({"message"}),
    "credential.expires": frozenset({"message"}),
    "gauges.failed": frozenset(),
    "intake.certificate_refused": frozenset(),
    "intake.certificate_reloaded": frozenset(),
    "intake.error": frozenset(),
    "intake.sender_refused": frozenset({"source", "tenant", "client"}),
    "journal.events_lost": frozenset({"position", "offset"}),
    "journal.following_failed": frozenset(),
    "journal.foreign_letter": frozenset({"offset"}),
    "journal.foreign_state": frozenset({"offset"}),
    "journal.full": frozenset({"count"}),
    "journal.unwritable": frozenset({"count"}),
    "journal.writable": frozenset({"count"}),
    "journal.late_state": frozenset({"offset"}),
    "handover.leftovers_ended": frozenset({"count"}),
    "journal.lost": frozenset(),
    "journal.membership_failed": frozenset(),
    "journal.reading_failed": frozenset(),
    "log.lines_dropped": frozenset({"count"}),
    "partition.dropped": frozenset(),
    "partition.lost": frozenset(),
    "partition.stopped": frozenset({"message"}),
    "plugin.failed": frozenset({"stage"}),
    "process.few_files": frozenset({"message"}),
    "pull.continued": frozenset({"backend"}),
    "pull.failed": frozenset({"backend", "message"}),
    "secrets.reloaded": frozenset({"count"}),
    "secrets.refused": frozenset({"backend"}),
    "settings.refused": frozenset({"message"}),
    "settings.reloaded": frozenset({"count"}),
    "service.failed": frozenset({"message"}),
    "service.ready": frozenset({"intake_port", "observe_port"}),
    "service.starting": frozenset({"version", "python", "sqlite"}),
    "service.stopping": frozenset(),
    "subject.failed": frozenset({"stage"}),
    "upstream.changed": frozenset({"backend", "state"}),
    "upstream_read_repeated": frozenset({"upstream", "attempt"}),
}
