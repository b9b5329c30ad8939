"""The catalogue of metrics: every name, type, label and bucket, in one table.

Base units only, counters end in ``_total``, moments in time in ``_timestamp_seconds``. Labels are
bounded; the values known beforehand are all there from the first scrape on, so that a rate or an
alert on absence works at once.
"""

from typing import Literal, NamedTuple

PREFIX = "pki_connector_"
MINUTE, HOUR, DAY = 60, 3600, 86_400

QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STAGES = (0.05, 0.25, 1, 5, 15, MINUTE, 300, 600, HOUR, 4 * HOUR, DAY, 3 * DAY, 7 * DAY)
READY = (10, 30, MINUTE, 120, 300, 600, 1800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY)


class Metric(NamedTuple):
    """One family. ``name`` is without the prefix; ``buckets`` belong to a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


CATALOGUE = (
    Metric(
        "build_info", "gauge", "Which program runs; always 1.", ("version", "revision", "python")
    ),
    Metric(
        "webhook_events_total",
        "counter",
        "Notifications answered.",
        ("source", "event_type", "outcome"),
    ),
    Metric(
        "webhook_auth_failures_total",
        "counter",
        "Notifications whose caller was not let in.",
        ("source", "error_code"),
    ),
    Metric("webhook_connections", "gauge", "Connections open at the webhook listener."),
    Metric(
        "webhook_connections_ended_total",
        "counter",
        "Webhook connections ended or refused for lack of room.",
        ("reason",),
    ),
    Metric(
        "http_request_duration_seconds",
        "histogram",
        "Time to answer one request at the webhook listener.",
        ("route", "method", "status_class"),
        QUICK,
    ),
    Metric(
        "certificate_reloads_total",
        "counter",
        "Times that the listener's certificate files were read anew.",
        ("outcome",),
    ),
    Metric("journal_waiting", "gauge", "What waits in a queue of the journal.", ("queue",)),
    Metric(
        "journal_oldest_waiting_seconds",
        "gauge",
        "How long the oldest in a queue has waited.",
        ("queue",),
    ),
    Metric(
        "journal_writable",
        "gauge",
        "1: the journal takes what it is given; 0: webhooks are answered 503.",
    ),
    Metric("journal_volume_free_bytes", "gauge", "Free bytes on the volume of the journal's file."),
    Metric("dlq_depth", "gauge", "Unreadable records kept.", ("queue",)),
    Metric(
        "dlq_messages_total", "counter", "Records that could not be read.", ("queue", "error_code")
    ),
    Metric(
        "subject_failures_total",
        "counter",
        "Events and outcomes that could not be used for their subject, which waits; others go on.",
        ("error_code",),
    ),
    Metric(
        "event_ids_dropped_total",
        "counter",
        "Ids of events that a subject forgot before their time, because it remembers 256 at most.",
    ),
    Metric("partitions_owned", "gauge", "Journal partitions that this process owns."),
    Metric(
        "partitions_stopped",
        "gauge",
        "Journal partitions assigned to this process that cannot go on.",
    ),
    Metric("audit_records", "gauge", "Audit records in a partition's chain.", ("partition",)),
    Metric(
        "audit_head_prefix",
        "gauge",
        "First 12 hexadecimal digits of the MAC at the end of a partition's chain, as a number.",
        ("partition",),
    ),
    Metric(
        "audit_last_append_timestamp_seconds", "gauge", "When the last audit record was written."
    ),
    Metric(
        "audit_chain_valid",
        "gauge",
        "1: the last check found every chain whole; NaN: no check yet.",
    ),
    Metric(
        "delivery_stage_duration_seconds",
        "histogram",
        "Time that a delivery spent in one phase, by the phase that came after it.",
        ("stage", "outcome", "target"),
        STAGES,
    ),
    Metric("deliveries_opened_total", "counter", "Deliveries begun.", ("target", "trigger")),
    Metric(
        "deliveries_total",
        "counter",
        "Deliveries ended.",
        ("target", "trigger", "outcome", "error_code"),
    ),
    Metric("deliveries_in_state", "gauge", "Deliveries in each phase.", ("state", "target")),
    Metric(
        "enrolment_to_ready_seconds",
        "histogram",
        "Time from a device's enrolment until its mail profile was seen installed.",
        ("target", "platform"),
        READY,
    ),
    Metric("hand_overs_total", "counter", "Hand-overs ended.", ("target", "outcome", "error_code")),
    Metric(
        "keys_disclosed_total",
        "counter",
        "Key generations that left escrow, one per generation and copy.",
        ("reason", "target"),
    ),
    Metric(
        "retries_total",
        "counter",
        "Steps that will be tried again.",
        ("operation", "error_code"),
    ),
    Metric(
        "devices_ended_total",
        "counter",
        "Devices that were waited for, by whether they got the set and, if not, why.",
        ("target", "outcome", "error_code"),
    ),
    Metric(
        "devices_lost_total",
        "counter",
        "Devices whose enrolment the UEM did not confirm in time.",
        ("error_code",),
    ),
    Metric(
        "outdated_notifications_total",
        "counter",
        "Enrolments and un-enrolments received after newer news of the same device.",
        ("event",),
    ),
    Metric(
        "stale_facts_total",
        "counter",
        "Late or doubled facts that changed nothing.",
        ("subject",),
    ),
    Metric("purge_pending", "gauge", "Copies in the UEM that are watched.", ("target",)),
    Metric(
        "purge_oldest_age_seconds", "gauge", "Age of the oldest copy that is watched.", ("target",)
    ),
    Metric(
        "purges_total",
        "counter",
        "Copies that were watched to their end, and alarms on the way.",
        ("target", "method", "outcome"),
    ),
    Metric(
        "copy_lifetime_seconds",
        "histogram",
        "How long a copy was in the UEM before it was gone.",
        ("target",),
        STAGES,
    ),
    Metric(
        "clocks_disagree_total",
        "counter",
        "Times that a UEM's clock began to differ from ours by more than the setting.",
        ("target",),
    ),
    Metric(
        "backend_requests_total",
        "counter",
        "Effects at an upstream.",
        ("backend", "operation", "outcome", "error_code"),
    ),
    Metric(
        "backend_request_duration_seconds",
        "histogram",
        "Time of an effect at an upstream.",
        ("backend", "operation", "outcome"),
        CALLS,
    ),
    Metric(
        "backend_circuit_state",
        "gauge",
        "Circuit breaker of an upstream: 0 closed, 1 half open (a probe was answered), 2 open.",
        ("backend",),
    ),
    Metric(
        "backend_rate_limit_wait_seconds",
        "histogram",
        "Time that a request of the service waited for its permit.",
        ("backend",),
        CALLS,
    ),
    Metric(
        "backend_http_requests_total",
        "counter",
        "Requests sent to an upstream, by the process that sent them (service, hand_over).",
        ("backend", "caller"),
    ),
    Metric(
        "backend_throttled_requests_total",
        "counter",
        "Requests that an upstream answered with 429 and that were sent again after a wait.",
        ("backend",),
    ),
    Metric(
        "backend_budget_left",
        "gauge",
        "Requests left in the upstream's present window, as its last answer said "
        "(X-RateLimit-Remaining); no series where it says nothing.",
        ("backend",),
    ),
    Metric(
        "own_credential_expiry_timestamp_seconds",
        "gauge",
        "When a credential of the service ends.",
        ("credential",),
    ),
    Metric(
        "config_last_reload_successful",
        "gauge",
        "Whether the settings were last read without a fault, at start or at a reload.",
    ),
    Metric(
        "config_last_reload_success_timestamp_seconds",
        "gauge",
        "When the settings were last reloaded.",
    ),
    Metric(
        "pauses",
        "gauge",
        "Pauses that stand, on all routes or on one; `status` says by whom and why.",
    ),
    Metric(
        "conditions",
        "gauge",
        "Conditions that this process reports at the top of `status`, by code.",
        ("error_code",),
    ),
    Metric("clock_jumps_total", "counter", "Jumps of the wall clock.", ("direction",)),
    Metric(
        "log_keys_dropped_total", "counter", "Keys left out of log lines: no event may carry them."
    ),
)
