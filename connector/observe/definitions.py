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
        "build_info",
        "gauge",
        "Version of the running program; always 1.",
        ("version", "revision", "python"),
    ),
    Metric(
        "webhook_events_total",
        "counter",
        "Notifications answered, by outcome.",
        ("source", "event_type", "outcome"),
    ),
    Metric(
        "webhook_auth_failures_total",
        "counter",
        "Authentication failures of notifications.",
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
        "Reloads of the listener's certificate files.",
        ("outcome",),
    ),
    Metric("journal_waiting", "gauge", "Entries waiting in a queue of the journal.", ("queue",)),
    Metric(
        "journal_oldest_waiting_seconds",
        "gauge",
        "Waiting time of the oldest entry in a queue.",
        ("queue",),
    ),
    Metric(
        "journal_writable",
        "gauge",
        "1: the journal can be written; 0: it cannot, and webhooks are answered with 503.",
    ),
    Metric("journal_volume_free_bytes", "gauge", "Free bytes on the volume of the journal's file."),
    Metric("dlq_depth", "gauge", "Dead letters kept.", ("queue",)),
    Metric(
        "dlq_messages_total",
        "counter",
        "Records that became dead letters.",
        ("queue", "error_code"),
    ),
    Metric(
        "subject_failures_total",
        "counter",
        "Events and outcomes whose handling failed; only their subject waits.",
        ("error_code",),
    ),
    Metric(
        "event_ids_dropped_total",
        "counter",
        "Ids of events (against replays) that a subject dropped early, as it keeps at most 256.",
    ),
    Metric("partitions_owned", "gauge", "Journal partitions that this process owns."),
    Metric(
        "partitions_stopped",
        "gauge",
        "Journal partitions assigned to this process that it cannot work on.",
    ),
    Metric("audit_records", "gauge", "Audit records in a partition's chain.", ("partition",)),
    Metric(
        "audit_head_prefix",
        "gauge",
        "First 12 hexadecimal digits of the MAC at the end of a partition's chain, as a number.",
        ("partition",),
    ),
    Metric("audit_last_append_timestamp_seconds", "gauge", "Time of the last audit record."),
    Metric(
        "audit_chain_valid",
        "gauge",
        "1: the last check found every chain intact; 0: it did not; NaN: no check yet.",
    ),
    Metric(
        "delivery_stage_duration_seconds",
        "histogram",
        "Time that a delivery spent in one phase, by the phase that came after it.",
        ("stage", "outcome", "target"),
        STAGES,
    ),
    Metric("deliveries_opened_total", "counter", "Deliveries started.", ("target", "trigger")),
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
        "Failed steps that will be retried.",
        ("operation", "error_code"),
    ),
    Metric(
        "devices_ended_total",
        "counter",
        "Devices whose delivery ended, by outcome and error code.",
        ("target", "outcome", "error_code"),
    ),
    Metric(
        "devices_lost_total",
        "counter",
        "Devices whose enrolment the UEM did not confirm before the deadline.",
        ("error_code",),
    ),
    Metric(
        "outdated_notifications_total",
        "counter",
        "Enrolments and un-enrolments received after a newer event of the same device.",
        ("event",),
    ),
    Metric(
        "stale_facts_total",
        "counter",
        "Late or duplicate facts that changed nothing.",
        ("subject",),
    ),
    Metric("purge_pending", "gauge", "Copies in the UEM that are being watched.", ("target",)),
    Metric(
        "purge_oldest_age_seconds",
        "gauge",
        "Age of the oldest copy that is being watched.",
        ("target",),
    ),
    Metric(
        "purges_total",
        "counter",
        "Copies that are gone, and alarms about copies that are overdue.",
        ("target", "method", "outcome"),
    ),
    Metric(
        "copy_lifetime_seconds",
        "histogram",
        "Time from the upload of a copy until it was gone.",
        ("target",),
        STAGES,
    ),
    Metric(
        "clocks_disagree_total",
        "counter",
        "Times that a UEM's clock started to differ from ours by more than clock_tolerance.",
        ("target",),
    ),
    Metric(
        "backend_requests_total",
        "counter",
        "Operations at an upstream; each may take several HTTP requests.",
        ("backend", "operation", "outcome", "error_code"),
    ),
    Metric(
        "backend_request_duration_seconds",
        "histogram",
        "Duration of an operation at an upstream.",
        ("backend", "operation", "outcome"),
        CALLS,
    ),
    Metric(
        "pulled_events_total",
        "counter",
        "Events pulled from an upstream's feed, by outcome.",
        ("backend", "event_type", "outcome"),
    ),
    Metric(
        "pull_last_success_timestamp_seconds",
        "gauge",
        "Time of the last successful pull from an upstream's feed; no series before it.",
        ("backend",),
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
        "Time that a request of the service waited for the rate limit.",
        ("backend",),
        CALLS,
    ),
    Metric(
        "backend_http_requests_total",
        "counter",
        "HTTP requests sent to an upstream, by the sending process (service, hand_over).",
        ("backend", "caller"),
    ),
    Metric(
        "backend_throttled_requests_total",
        "counter",
        "Requests answered with 429 and sent again after a wait.",
        ("backend",),
    ),
    Metric(
        "backend_budget_left",
        "gauge",
        "Requests left in the upstream's current window, from X-RateLimit-Remaining of its last "
        "answer; no series without that header.",
        ("backend",),
    ),
    Metric(
        "own_credential_expiry_timestamp_seconds",
        "gauge",
        "Time at which a credential of the service expires.",
        ("credential",),
    ),
    Metric(
        "config_last_reload_successful",
        "gauge",
        "1: the last reading of the settings, at start or reload, succeeded; 0: it failed.",
    ),
    Metric(
        "config_last_reload_success_timestamp_seconds",
        "gauge",
        "Time of the last successful reload of the settings.",
    ),
    Metric(
        "pauses",
        "gauge",
        "Active pauses, of all routes or of one; `status` shows who paused and why.",
    ),
    Metric(
        "conditions",
        "gauge",
        "Conditions that this process reports at the top of `status`, by code.",
        ("error_code",),
    ),
    Metric(
        "clock_jumps_total", "counter", "Jumps of the wall clock, by direction.", ("direction",)
    ),
    Metric(
        "log_keys_dropped_total",
        "counter",
        "Members removed from log lines because no log event may carry them.",
    ),
)
