"""The metrics port, counted with prometheus-client."""

from collections.abc import Mapping
from math import nan
from typing import NamedTuple

from connector.core.metrics import Caller, CircuitState, ConnectionEnd, Direction, WebhookOutcome
from connector.core.model import SECOND, Millis
from connector.core.step import Moment
from connector.observe.families import Families
from connector.observe.labels import OTHER, Names
from connector.observe.moments import RULES, SECONDS, VALUE, Rule

CIRCUIT: Mapping[CircuitState, int] = {"closed": 0, "half_open": 1, "open": 2}
HEAD_DIGITS = 12
"""Hexadecimal digits of a chain's head that a gauge holds exactly (48 of a float's 53 bits)."""


class Build(NamedTuple):
    """What runs: version of the package, source revision, version of Python."""

    version: str
    revision: str
    python: str


class PrometheusMetrics:
    """Implements :class:`connector.core.metrics.Metrics`.

    Args:
        names: the names in the settings that may become labels.
        build: what runs.
    """

    def __init__(self, names: Names, build: Build) -> None:
        self._families = Families(names)
        self._audit_at = 0
        self._families.gauge("audit_chain_valid").set(nan)
        self._families.gauge("build_info", *build).set(1)
        self.registry = self._families.registry

    def webhook_event(
        self, source: str, event_type: str, outcome: WebhookOutcome, number: int = 1
    ) -> None:
        """See the port."""
        self._families.counter("webhook_events_total", source, event_type, outcome).inc(number)

    def webhook_auth_failed(self, source: str, code: str) -> None:
        """See the port."""
        self._families.counter("webhook_auth_failures_total", source, code).inc()

    def http_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """See the port. ``method`` is the peer's word and only counted when it is known."""
        status_class = f"{status // 100}xx"
        self._families.histogram(
            "http_request_duration_seconds", route, method, status_class
        ).observe(seconds)

    def connections(self, count: int) -> None:
        """See the port."""
        self._families.gauge("webhook_connections").set(count)

    def connection_ended(self, reason: ConnectionEnd) -> None:
        """See the port."""
        self._families.counter("webhook_connections_ended_total", reason).inc()

    def certificate_reloaded(self, *, accepted: bool) -> None:
        """See the port."""
        outcome = "accepted" if accepted else "refused"
        self._families.counter("certificate_reloads_total", outcome).inc()

    def journal_waiting(self, queue: str, count: int, oldest: float) -> None:
        """See the port."""
        self._families.gauge("journal_waiting", queue).set(count)
        self._families.gauge("journal_oldest_waiting_seconds", queue).set(oldest)

    def journal_writable(self, *, writable: bool) -> None:
        """See the port."""
        self._families.gauge("journal_writable").set(writable)

    def journal_free(self, free: int) -> None:
        """See the port."""
        self._families.gauge("journal_volume_free_bytes").set(free)

    def pauses(self, count: int) -> None:
        """See the port."""
        self._families.gauge("pauses").set(count)

    def dead_letters(self, queue: str, depth: int) -> None:
        """See the port."""
        self._families.gauge("dlq_depth", queue).set(depth)

    def dead_lettered(self, queue: str, error_code: str) -> None:
        """See the port."""
        self._families.counter("dlq_messages_total", queue, error_code).inc()

    def subject_failed(self, error_code: str) -> None:
        """See the port."""
        self._families.counter("subject_failures_total", error_code).inc()

    def ids_dropped(self, number: int) -> None:
        """See the port."""
        self._families.counter("event_ids_dropped_total").inc(number)

    def partitions_owned(self, count: int) -> None:
        """See the port."""
        self._families.gauge("partitions_owned").set(count)

    def partitions_stopped(self, count: int) -> None:
        """See the port."""
        self._families.gauge("partitions_stopped").set(count)

    def audit_appended(self, partition: int, count: int, head: str, now: Millis) -> None:
        """See the port."""
        place = str(partition)
        self._families.gauge("audit_records", place).set(count)
        self._families.gauge("audit_head_prefix", place).set(int(head[:HEAD_DIGITS] or "0", 16))
        self._audit_at = max(self._audit_at, now)
        self._families.gauge("audit_last_append_timestamp_seconds").set(self._audit_at / SECOND)

    def audit_verified(self, *, whole: bool) -> None:
        """See the port."""
        self._families.gauge("audit_chain_valid").set(whole)

    def moment(self, moment: Moment, target: str) -> None:
        """See the port. A moment that no rule knows moves nothing."""
        for rule in RULES.get(moment.name, ()):
            self._apply(rule, moment, {"target": target, **moment.labels, **rule.fixed})

    def _apply(self, rule: Rule, moment: Moment, labels: Mapping[str, str]) -> None:
        names = self._families.labels_of(rule.metric)
        values = tuple(labels.get(name, OTHER) for name in names)
        if rule.amount is SECONDS:
            self._families.histogram(rule.metric, *values).observe(moment.value / SECOND)
        else:
            amount = moment.value if rule.amount is VALUE else 1
            self._families.counter(rule.metric, *values).inc(amount)

    def deliveries_in_state(self, counts: Mapping[tuple[str, str], int]) -> None:
        """See the port."""
        name = "deliveries_in_state"
        for labels in {*self._families.children(name), *counts}:
            self._families.gauge(name, *labels).set(counts.get((labels[0], labels[1]), 0))

    def purge_pending(self, target: str, count: int, oldest: float) -> None:
        """See the port."""
        self._families.gauge("purge_pending", target).set(count)
        self._families.gauge("purge_oldest_age_seconds", target).set(oldest)

    def backend_request(
        self, backend: str, operation: str, outcome: str, error_code: str, seconds: float
    ) -> None:
        """See the port."""
        self._families.counter(
            "backend_requests_total", backend, operation, outcome, error_code
        ).inc()
        self._families.histogram(
            "backend_request_duration_seconds", backend, operation, outcome
        ).observe(seconds)

    def feed_pulled(
        self, backend: str, events: Mapping[tuple[str, bool], int], now: Millis
    ) -> None:
        """See :class:`connector.core.feed.FeedMetrics`."""
        for (kind, is_new), number in events.items():
            outcome = "accepted" if is_new else "duplicate"
            self._families.counter("pulled_events_total", backend, kind, outcome).inc(number)
        name = "pull_last_success_timestamp_seconds"
        self._families.gauge(name, backend).set(now / SECOND)

    def circuit(self, backend: str, state: CircuitState) -> None:
        """See the port."""
        self._families.gauge("backend_circuit_state", backend).set(CIRCUIT[state])

    def request_sent(self, backend: str, caller: Caller) -> None:
        """See the port."""
        self._families.counter("backend_http_requests_total", backend, caller).inc()

    def rate_limit_waited(self, backend: str, seconds: float) -> None:
        """See the port."""
        self._families.histogram("backend_rate_limit_wait_seconds", backend).observe(seconds)

    def request_throttled(self, backend: str) -> None:
        """See the port."""
        self._families.counter("backend_throttled_requests_total", backend).inc()

    def budget_left(self, backend: str, requests: int) -> None:
        """See the port."""
        self._families.gauge("backend_budget_left", backend).set(requests)

    def own_credential_expires(self, credential: str, at: Millis) -> None:
        """See the port."""
        name = "own_credential_expiry_timestamp_seconds"
        self._families.gauge(name, credential).set(at / SECOND)

    def config_reloaded(self, now: Millis, *, accepted: bool) -> None:
        """See the port."""
        self._families.gauge("config_last_reload_successful").set(accepted)
        if accepted:
            name = "config_last_reload_success_timestamp_seconds"
            self._families.gauge(name).set(now / SECOND)

    def conditions(self, code: str, count: int) -> None:
        """See the port."""
        self._families.gauge("conditions", code).set(count)

    def clock_jumped(self, direction: Direction) -> None:
        """See the port."""
        self._families.counter("clock_jumps_total", direction).inc()

    def log_keys_dropped(self, count: int) -> None:
        """See the port."""
        self._families.counter("log_keys_dropped_total").inc(count)
