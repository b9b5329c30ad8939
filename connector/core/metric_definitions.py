"""The catalogue of metrics: every name, type, label and bucket, in one table.

Base units only, counters end in ``_total``, moments in time in ``_timestamp_seconds``. Labels are
bounded; the values known beforehand are all there from the first scrape on, so that a rate or an
alert on absence works at once.
"""

from connector.core.metrics import Counter, Gauge, Histogram, Metric

MINUTE, HOUR, DAY = 60, 3600, 86_400

QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STAGES = (0.05, 0.25, 1, 5, 15, MINUTE, 300, 600, HOUR, 4 * HOUR, DAY, 3 * DAY, 7 * DAY)
READY = (10, 30, MINUTE, 120, 300, 600, 1800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY)

BUILD_INFO = Gauge(
    "build_info", "Version of the running program; always 1.", ("version", "revision", "python")
)
WEBHOOK_EVENTS = Counter(
    "webhook_events_total",
    "Notifications answered, by outcome.",
    ("source", "event_type", "outcome"),
)
WEBHOOK_AUTH_FAILURES = Counter(
    "webhook_auth_failures_total",
    "Authentication failures of notifications.",
    ("source", "error_code"),
)
WEBHOOK_CONNECTIONS = Gauge("webhook_connections", "Connections open at the webhook listener.")
WEBHOOK_CONNECTIONS_ENDED = Counter(
    "webhook_connections_ended_total",
    "Webhook connections ended or refused for lack of room.",
    ("reason",),
)
HTTP_REQUEST_DURATION = Histogram(
    "http_request_duration_seconds",
    "Time to answer one request at the webhook listener.",
    ("route", "method", "status_class"),
    buckets=QUICK,
)
CERTIFICATE_RELOADS = Counter(
    "certificate_reloads_total", "Reloads of the listener's certificate files.", ("outcome",)
)
JOURNAL_WAITING = Gauge(
    "journal_waiting",
    "Entries waiting in a queue of the journal: events on their way to disk or brokers (events), "
    "stored events that no round has handled (unread), effects that are due (due).",
    ("queue",),
)
JOURNAL_OLDEST_WAITING = Gauge(
    "journal_oldest_waiting_seconds", "Waiting time of the oldest entry in a queue.", ("queue",)
)
JOURNAL_WRITABLE = Gauge(
    "journal_writable",
    "1: the journal can be written; 0: it cannot, and webhooks are answered with 503.",
)
JOURNAL_VOLUME_FREE = Gauge(
    "journal_volume_free_bytes", "Free bytes on the volume of the journal's file."
)
BACKUP_LAST_SUCCESS = Gauge(
    "backup_last_success_timestamp_seconds",
    "Time of the last `journal backup` of the embedded journal; NaN: none is known.",
    unknown_at_first=True,
)
DLQ_DEPTH = Gauge("dlq_depth", "Dead letters kept.", ("queue",))
DLQ_MESSAGES = Counter(
    "dlq_messages_total", "Records that became dead letters.", ("queue", "error_code")
)
SUBJECT_FAILURES = Counter(
    "subject_failures_total",
    "Events and outcomes whose handling failed; only their subject waits.",
    ("error_code",),
)
EVENT_IDS_DROPPED = Counter(
    "event_ids_dropped_total",
    "Ids of events (against replays) that a subject dropped early, as it keeps at most 256.",
)
PARTITIONS = Gauge("partitions", "Journal partitions in all.")
PARTITIONS_OWNED = Gauge("partitions_owned", "Journal partitions that this process owns.")
PARTITIONS_STOPPED = Gauge(
    "partitions_stopped", "Journal partitions assigned to this process that it cannot work on."
)
AUDIT_RECORDS = Gauge("audit_records", "Audit records in a partition's chain.", ("partition",))
AUDIT_HEAD_PREFIX = Gauge(
    "audit_head_prefix",
    "First 12 hexadecimal digits of the MAC at the end of a partition's chain, as a number.",
    ("partition",),
)
AUDIT_LAST_APPEND = Gauge(
    "audit_last_append_timestamp_seconds", "Time of the last audit record.", only_rises=True
)
AUDIT_CHAIN_VALID = Gauge(
    "audit_chain_valid",
    "1: the last check found every chain intact; 0: it did not; NaN: no check yet.",
    unknown_at_first=True,
)
DELIVERY_STAGE_DURATION = Histogram(
    "delivery_stage_duration_seconds",
    "Time that a delivery spent in one phase, by the phase that came after it.",
    ("stage", "outcome", "target"),
    buckets=STAGES,
)
DELIVERIES_OPENED = Counter("deliveries_opened_total", "Deliveries started.", ("target", "trigger"))
DELIVERIES = Counter(
    "deliveries_total", "Deliveries ended.", ("target", "trigger", "outcome", "error_code")
)
DELIVERIES_IN_STATE = Gauge("deliveries_in_state", "Deliveries in each phase.", ("state", "target"))
ENROLMENT_TO_READY = Histogram(
    "enrolment_to_ready_seconds",
    "Time from a device's enrolment until its mail profile was seen installed.",
    ("target", "platform"),
    buckets=READY,
)
HAND_OVERS = Counter("hand_overs_total", "Hand-overs ended.", ("target", "outcome", "error_code"))
KEYS_DISCLOSED = Counter(
    "keys_disclosed_total",
    "Key generations that left escrow, one per generation and copy.",
    ("reason", "target"),
)
DISCLOSURE_CEILING = Gauge(
    "disclosure_ceiling", "Maximum number of keys that may leave escrow within an hour."
)
DISCLOSED_WITHIN_HOUR = Gauge(
    "disclosed_within_hour", "Keys that left escrow within the last hour, as the ceiling counts."
)
DISCLOSURES_HELD_BACK = Counter(
    "disclosures_held_back_total",
    "Times that a hand-over could not start because of the disclosure ceiling.",
)
RETRIES = Counter(
    "retries_total", "Failed steps that will be retried.", ("operation", "error_code")
)
DEVICES_ENDED = Counter(
    "devices_ended_total",
    "Devices whose delivery ended, by outcome and error code.",
    ("target", "outcome", "error_code"),
)
DEVICES_LOST = Counter(
    "devices_lost_total",
    "Devices whose enrolment the UEM did not confirm before the deadline.",
    ("error_code",),
)
NEEDS_OPERATOR = Gauge(
    "needs_operator",
    "Users and devices that do not go on by themselves, by code; as `status` counts them.",
    ("error_code",),
)
OUTDATED_NOTIFICATIONS = Counter(
    "outdated_notifications_total",
    "Enrolments and un-enrolments received after a newer event of the same device.",
    ("event",),
)
STALE_FACTS = Counter(
    "stale_facts_total", "Late or duplicate facts that changed nothing.", ("subject",)
)
PURGE_PENDING = Gauge("purge_pending", "Copies in the UEM that are being watched.", ("target",))
PURGE_OLDEST_AGE = Gauge(
    "purge_oldest_age_seconds", "Age of the oldest copy that is being watched.", ("target",)
)
PURGES = Counter(
    "purges_total",
    "Copies that are gone, and alarms about copies that are overdue.",
    ("target", "method", "outcome"),
)
COPY_LIFETIME = Histogram(
    "copy_lifetime_seconds",
    "Time from the upload of a copy until it was gone.",
    ("target",),
    buckets=STAGES,
)
CLOCKS_DISAGREE = Counter(
    "clocks_disagree_total",
    "Times that a UEM's clock started to differ from ours by more than clock_tolerance.",
    ("target",),
)
BACKEND_REQUESTS = Counter(
    "backend_requests_total",
    "Operations at an upstream; each may take several HTTP requests.",
    ("backend", "operation", "outcome", "error_code"),
)
BACKEND_REQUEST_DURATION = Histogram(
    "backend_request_duration_seconds",
    "Duration of an operation at an upstream.",
    ("backend", "operation", "outcome"),
    buckets=CALLS,
)
PULLED_EVENTS = Counter(
    "pulled_events_total",
    "Events pulled from an upstream's feed, by outcome.",
    ("backend", "event_type", "outcome"),
)
PULL_LAST_SUCCESS = Gauge(
    "pull_last_success_timestamp_seconds",
    "Time of the last successful pull from an upstream's feed; NaN before it.",
    ("backend",),
    unknown_at_first=True,
)
BACKEND_CIRCUIT_STATE = Gauge(
    "backend_circuit_state",
    "Circuit breaker of an upstream: 0 closed, 1 half open (a probe was answered), 2 open.",
    ("backend",),
)
BACKEND_RATE_LIMIT_WAIT = Histogram(
    "backend_rate_limit_wait_seconds",
    "Time that a request of the service waited for the rate limit.",
    ("backend",),
    buckets=CALLS,
)
BACKEND_HTTP_REQUESTS = Counter(
    "backend_http_requests_total",
    "HTTP requests sent to an upstream, by the sending process (service, hand_over).",
    ("backend", "caller"),
)
BACKEND_THROTTLED_REQUESTS = Counter(
    "backend_throttled_requests_total",
    "Requests answered with 429 and sent again after a wait.",
    ("backend",),
)
BACKEND_BUDGET_LEFT = Gauge(
    "backend_budget_left",
    "Requests left in the upstream's current window, from X-RateLimit-Remaining of its last "
    "answer; NaN until an answer has that header.",
    ("backend",),
    unknown_at_first=True,
)
OWN_CREDENTIAL_EXPIRY = Gauge(
    "own_credential_expiry_timestamp_seconds",
    "Time at which a credential of the service expires: certificates by the name of what they "
    "are for, secrets and tokens by their setting. +Inf: it has no end that the service can read; "
    "NaN: it could not be read.",
    ("credential",),
    unknown_at_first=True,
)
CONFIG_LAST_RELOAD_SUCCESSFUL = Gauge(
    "config_last_reload_successful",
    "1: the last reading of settings and secrets, at start or reload, succeeded; 0: it failed.",
)
CONFIG_LAST_RELOAD_SUCCESS = Gauge(
    "config_last_reload_success_timestamp_seconds",
    "Time of the last successful reading of settings and secrets.",
)
PAUSES = Gauge(
    "pauses", "Active pauses, of all routes or of one; `status` shows who paused and why."
)
CONDITIONS = Gauge(
    "conditions",
    "Conditions that this process reports at the top of `status`, by code.",
    ("error_code",),
)
CLOCK_JUMPS = Counter("clock_jumps_total", "Jumps of the wall clock, by direction.", ("direction",))
LOG_LINES_DROPPED = Counter(
    "log_lines_dropped_total", "Log lines dropped because standard output took no more."
)
LOG_KEYS_DROPPED = Counter(
    "log_keys_dropped_total", "Members removed from log lines because no log event may carry them."
)

CATALOGUE = tuple(one for one in globals().copy().values() if isinstance(one, Metric))
"""All of them, in the order of this page."""
