"""Metrics as ports, with an implementation that does nothing.

Labels are bounded by contract: names of the settings, enum values, error codes. Never a user, a
device, an address or free text. Durations are in seconds, moments in time in ``Millis``.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

from connector.core.model import Millis
from connector.core.step import Moment

WebhookOutcome = Literal[
    "accepted",
    "duplicate",
    "ignored",
    "challenged",
    "rejected_auth",
    "rejected_schema",
    "overload",
    "failed",
]
ConnectionEnd = Literal["address", "oldest", "full", "bytes"]
CircuitState = Literal["closed", "half_open", "open"]
Direction = Literal["forward", "backward"]
Caller = Literal["service", "hand_over"]


class IntakeMetrics(Protocol):
    """What the webhook listener reports."""

    def webhook_event(
        self, source: str, event_type: str, outcome: WebhookOutcome, number: int = 1
    ) -> None:
        """Notifications with this answer. ``event_type``: an event kind, ``other``, ``unread``."""
        ...

    def webhook_auth_failed(self, source: str, code: str) -> None:
        """A caller failed to authenticate, with this code."""
        ...

    def http_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered. ``route`` is a template, never a path."""
        ...

    def connections(self, count: int) -> None:
        """How many webhook connections are open now."""
        ...

    def connection_ended(self, reason: ConnectionEnd) -> None:
        """One was ended or refused for lack of room.

        ``address``: too many of one address; ``oldest``: the oldest stranger was dropped; ``full``:
        only known callers were there; ``bytes``: strangers sent too much.
        """
        ...

    def certificate_reloaded(self, *, accepted: bool) -> None:
        """The listener's certificate files were read again."""
        ...


class JournalMetrics(Protocol):
    """What the journal and the loop over it report."""

    def journal_waiting(self, queue: str, count: int, oldest: float) -> None:
        """The length of a queue, and for how many seconds the oldest entry has waited."""
        ...

    def journal_writable(self, *, writable: bool) -> None:
        """Whether the journal's last write succeeded."""
        ...

    def journal_free(self, free: int) -> None:
        """How many bytes are free on the volume of the journal's file."""
        ...

    def pauses(self, count: int) -> None:
        """How many pauses are in force, on all routes or on one."""
        ...

    def dead_letters(self, queue: str, depth: int) -> None:
        """How many unreadable records are kept."""
        ...

    def dead_lettered(self, queue: str, error_code: str) -> None:
        """A record could not be read."""
        ...

    def subject_failed(self, error_code: str) -> None:
        """A fact about a subject made the program fail: the subject waits, all others go on."""
        ...

    def ids_dropped(self, number: int) -> None:
        """Event ids were forgotten early, because a subject remembers a limited number."""
        ...

    def partitions_owned(self, count: int) -> None:
        """How many partitions this process owns now."""
        ...

    def partitions_stopped(self, count: int) -> None:
        """How many partitions assigned to this process cannot go on."""
        ...

    def audit_appended(self, partition: int, count: int, head: str, now: Millis) -> None:
        """The audit chain of a partition ends at ``head`` (hexadecimal MAC) after ``count``."""
        ...

    def audit_verified(self, *, whole: bool) -> None:
        """The audit chains were checked."""
        ...


class DeliveryMetrics(Protocol):
    """What happens to holders and their keys."""

    def moment(self, moment: Moment, target: str) -> None:
        """A business moment; ``target`` is the UEM's name in the settings, or empty."""
        ...

    def deliveries_in_state(self, counts: Mapping[tuple[str, str], int]) -> None:
        """How many deliveries there are by (state, target); missing pairs are zero."""
        ...

    def purge_pending(self, target: str, count: int, oldest: float) -> None:
        """How many copies are watched, and for how many seconds the oldest has been there."""
        ...


class RequestMetrics(Protocol):
    """Requests to the upstreams, and their limits. ``backend``: ``ca:…``, ``uem:…``."""

    def request_sent(self, backend: str, caller: Caller) -> None:
        """One request went out, from the service or from a hand-over process."""
        ...

    def rate_limit_waited(self, backend: str, seconds: float) -> None:
        """A request waited this many seconds for its permit."""
        ...

    def request_throttled(self, backend: str) -> None:
        """The upstream asked to slow down; the request waits and is sent again."""
        ...

    def budget_left(self, backend: str, requests: int) -> None:
        """How many requests are left in the upstream's present window, as it reports."""
        ...


class UpstreamMetrics(RequestMetrics, Protocol):
    """How the upstreams behave. ``backend`` is ``ca:NAME`` or ``uem:NAME``."""

    def backend_request(
        self, backend: str, operation: str, outcome: str, error_code: str, seconds: float
    ) -> None:
        """One effect or request ended; ``outcome`` is ``ok`` or the error's family."""
        ...

    def circuit(self, backend: str, state: CircuitState) -> None:
        """An upstream's circuit breaker changed its state."""
        ...


class ProcessMetrics(Protocol):
    """Metrics of the process as a whole."""

    def own_credential_expires(self, credential: str, at: Millis) -> None:
        """When a credential of ours ends (``tls-server``, ``ca:NAME``, ``uem:NAME``)."""
        ...

    def config_reloaded(self, now: Millis, *, accepted: bool) -> None:
        """The settings or secrets were read again."""
        ...

    def conditions(self, code: str, count: int) -> None:
        """How many conditions with this code hold now."""
        ...

    def clock_jumped(self, direction: Direction) -> None:
        """The wall clock jumped against the monotonic one by more than the setting."""
        ...

    def log_keys_dropped(self, count: int) -> None:
        """Keys that log events must not contain were left out."""
        ...


class Metrics(
    IntakeMetrics, JournalMetrics, DeliveryMetrics, UpstreamMetrics, ProcessMetrics, Protocol
):
    """All metrics, for the composition root."""


class NoMetrics:
    """Counts nothing; for tests and tools that publish no metrics."""

    def webhook_event(
        self, source: str, event_type: str, outcome: WebhookOutcome, number: int = 1
    ) -> None:
        """Do nothing."""

    def webhook_auth_failed(self, source: str, code: str) -> None:
        """Do nothing."""

    def http_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Do nothing."""

    def connections(self, count: int) -> None:
        """Do nothing."""

    def connection_ended(self, reason: ConnectionEnd) -> None:
        """Do nothing."""

    def certificate_reloaded(self, *, accepted: bool) -> None:
        """Do nothing."""

    def journal_waiting(self, queue: str, count: int, oldest: float) -> None:
        """Do nothing."""

    def journal_writable(self, *, writable: bool) -> None:
        """Do nothing."""

    def journal_free(self, free: int) -> None:
        """Do nothing."""

    def pauses(self, count: int) -> None:
        """Do nothing."""

    def dead_letters(self, queue: str, depth: int) -> None:
        """Do nothing."""

    def dead_lettered(self, queue: str, error_code: str) -> None:
        """Do nothing."""

    def subject_failed(self, error_code: str) -> None:
        """Do nothing."""

    def ids_dropped(self, number: int) -> None:
        """Do nothing."""

    def partitions_owned(self, count: int) -> None:
        """Do nothing."""

    def partitions_stopped(self, count: int) -> None:
        """Do nothing."""

    def audit_appended(self, partition: int, count: int, head: str, now: Millis) -> None:
        """Do nothing."""

    def audit_verified(self, *, whole: bool) -> None:
        """Do nothing."""

    def moment(self, moment: Moment, target: str) -> None:
        """Do nothing."""

    def deliveries_in_state(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Do nothing."""

    def purge_pending(self, target: str, count: int, oldest: float) -> None:
        """Do nothing."""

    def backend_request(
        self, backend: str, operation: str, outcome: str, error_code: str, seconds: float
    ) -> None:
        """Do nothing."""

    def circuit(self, backend: str, state: CircuitState) -> None:
        """Do nothing."""

    def request_sent(self, backend: str, caller: Caller) -> None:
        """Do nothing."""

    def rate_limit_waited(self, backend: str, seconds: float) -> None:
        """Do nothing."""

    def request_throttled(self, backend: str) -> None:
        """Do nothing."""

    def budget_left(self, backend: str, requests: int) -> None:
        """Do nothing."""

    def own_credential_expires(self, credential: str, at: Millis) -> None:
        """Do nothing."""

    def config_reloaded(self, now: Millis, *, accepted: bool) -> None:
        """Do nothing."""

    def conditions(self, code: str, count: int) -> None:
        """Do nothing."""

    def clock_jumped(self, direction: Direction) -> None:
        """Do nothing."""

    def log_keys_dropped(self, count: int) -> None:
        """Do nothing."""
