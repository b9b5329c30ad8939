"""The label combinations that are there from the first scrape on, all at zero."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import get_args

from connector.catalogue import catalogue
from connector.core.errors import Family
from connector.core.holder.transitions import TRANSITIONS
from connector.core.metrics import OTHER, ConnectionEnd
from connector.core.source import SourceCapabilities, address_template
from connector.core.states import (
    ASKS_CA,
    ASKS_UEM,
    COPY_OVERDUE,
    ONLY_CA,
    DevicePhase,
    Effect,
    Phase,
    Trigger,
)
from connector.observe.labels import CALLERS, FIXED, NONE, PLATFORMS, PULL, Names

Combination = tuple[str, ...]
Values = Sequence[str]

OPERATIONS = {"ca": tuple(sorted(ASKS_CA)), "uem": tuple(sorted(ASKS_UEM))}
FAILURES = ("USR", "IDN", "KEY", "P12", "CA", "UEM", "HND", "DLV")
"""Areas of the codes with which a delivery can fail."""
FAILED = (Family.TRANSIENT, Family.PERMANENT)
"""How an operation at an upstream can fail."""
RETRIES = {
    **dict.fromkeys((Effect.LOOK_UP_DEVICE, Effect.LOOK_UP), ("USR", "UEM")),
    **dict.fromkeys((Effect.PUSH, Effect.LOOK_INSTALLED, Effect.LOOK_GONE), ("UEM",)),
    **dict.fromkeys(sorted(ONLY_CA), ("CA",)),
    Effect.HAND_OVER: ("CA", "UEM", "HND", "P12"),
}
"""Per step: areas of the codes with which it can be tried again."""
HANDING_OVER = {
    "not_sent": (("CA", "UEM", "KEY", "P12", "HND"), FAILED),
    "refused": (("UEM",), FAILED),
    "unknown": (("UEM", "HND"), (Family.TRANSIENT,)),
}
"""Per outcome of a hand-over that failed: areas and families of its codes."""
TRIGGERS = tuple(trigger for trigger in Trigger if trigger is not Trigger.RECOVERY)
"""What can begin a delivery today."""

CONDITIONS = (
    *("CRT-001", "CRT-002", "JRN-001", "JRN-013", "JRN-014", "JRN-019"),
    *("EVT-003", "AUD-001", "AUD-004", "HND-010", "CLK-002", "CFG-008", "CFG-009"),
)
"""Codes of the conditions that a process may report."""
LOST = ("DLV-001", "USR-006", "USR-008")
"""Codes of devices whose enrolment was not confirmed."""


def seeds(names: Names) -> Iterator[tuple[str, Combination]]:
    """(metric, label values in the order of its definition), for everything known beforehand."""
    for metric, tables in _tables(names).items():
        for table in tables:
            for combination in product(*table):
                yield metric, combination


def _tables(names: Names) -> dict[str, list[tuple[Values, ...]]]:
    """Per metric: tables whose product is seeded."""
    targets = (names.targets,)
    return {
        **_webhooks(names.sources),
        **_deliveries(names.targets),
        **_upstreams(names.backends, names.feeds),
        "journal_waiting": [(FIXED["queue"],)],
        "journal_oldest_waiting_seconds": [(FIXED["queue"],)],
        "dlq_depth": [(("events",),)],
        "dlq_messages_total": [(("events",), ("EVT-005",))],
        "subject_failures_total": [(("EVT-005", "JRN-015", "SRV-003"),)],
        "needs_operator": [(needing_operator(),)],
        "own_credential_expiry_timestamp_seconds": [(names.credentials,)],
        "audit_chain_valid": [()],
        "backup_last_success_timestamp_seconds": [()],
        "audit_records": [(tuple(map(str, range(names.partitions))),)],
        "audit_head_prefix": [(tuple(map(str, range(names.partitions))),)],
        "purge_pending": [targets],
        "purge_oldest_age_seconds": [targets],
        "copy_lifetime_seconds": [targets],
        "clocks_disagree_total": [targets],
        "conditions": [(CONDITIONS,)],
        "clock_jumps_total": [(FIXED["direction"],)],
        "certificate_reloads_total": [(("accepted", "refused"),)],
    }


def _webhooks(sources: Mapping[str, SourceCapabilities]) -> dict[str, list[tuple[Values, ...]]]:
    refused = ("challenged", "rejected_auth", "rejected_schema", "overload")
    events: list[tuple[Values, ...]] = []
    failures: list[tuple[Values, ...]] = []
    requests: list[tuple[Values, ...]] = [(("unknown",), ("GET", "POST"), ("4xx",))]
    for name, source in sources.items():
        if not source.webhook:
            continue
        label = (source.label,)
        events += [
            (label, source.event_kinds, ("accepted", "duplicate")),
            (label, (OTHER,), ("ignored",)),
            (label, ("unread",), refused),
        ]
        failures.append((label, (source.failed_code,)))
        methods = ("GET", "POST") if source.test_calls else ("POST",)
        requests.append(((address_template(name),), methods, FIXED["status_class"]))
    return {
        "webhook_events_total": events,
        "webhook_auth_failures_total": failures,
        "webhook_connections_ended_total": [(get_args(ConnectionEnd),)],
        "http_request_duration_seconds": requests,
    }


def _deliveries(targets: Values) -> dict[str, list[tuple[Values, ...]]]:
    permanent = _codes(FAILURES, Family.PERMANENT)
    return {
        "deliveries_opened_total": [(targets, TRIGGERS)],
        "deliveries_total": [
            (targets, TRIGGERS, (Phase.COMPLETED,), (NONE,)),
            (targets, TRIGGERS, (Phase.CANCELLED,), (NONE, "DLV-005")),
            (targets, TRIGGERS, (Phase.FAILED,), permanent),
        ],
        "deliveries_in_state": [(tuple(Phase), targets)],
        "delivery_stage_duration_seconds": [
            ((stage,), (outcome,), targets)
            for stage, outcome in TRANSITIONS
            if Phase.AWAITING_APPROVAL not in {stage, outcome}
        ],
        "enrolment_to_ready_seconds": [(targets, (*PLATFORMS, OTHER))],
        "hand_overs_total": [
            (targets, ("accepted", "changed"), (NONE,)),
            *(
                (targets, (outcome,), _codes(areas, *families))
                for outcome, (areas, families) in HANDING_OVER.items()
            ),
        ],
        "keys_disclosed_total": [(TRIGGERS, targets)],
        "retries_total": [
            ((effect,), _codes(areas, Family.TRANSIENT)) for effect, areas in RETRIES.items()
        ],
        "devices_ended_total": [
            (targets, (DevicePhase.INSTALLED,), (NONE, "INS-009")),
            (targets, (DevicePhase.NOT_INSTALLED,), (*permanent, *_installing())),
        ],
        "devices_lost_total": [(LOST,)],
        "outdated_notifications_total": [(FIXED["event"],)],
        "stale_facts_total": [(("device", "holder", "person"),)],
        "purges_total": [
            (targets, ("platform_timed", "api_confirmed"), ("gone",)),
            (targets, ("none",), ("overdue",)),
        ],
    }


def _upstreams(
    backends: Values, feeds: Mapping[str, tuple[str, ...]]
) -> dict[str, list[tuple[Values, ...]]]:
    requests: list[tuple[Values, ...]] = []
    durations: list[tuple[Values, ...]] = []
    for backend in backends:
        kind = backend.partition(":")[0]
        operations = OPERATIONS.get(kind, ()) + (PULL,) * (backend in feeds)
        durations.append(((backend,), operations, ("ok", *FAILED)))
        requests.append(((backend,), operations, ("ok",), (NONE,)))
        requests += [
            ((backend,), operations, (family,), _codes((kind.upper(),), family))
            for family in FAILED
        ]
    return {
        "backend_requests_total": requests,
        "backend_request_duration_seconds": durations,
        "pulled_events_total": [
            ((backend,), kinds, ("accepted", "duplicate")) for backend, kinds in feeds.items()
        ],
        "pull_last_success_timestamp_seconds": [(tuple(feeds),)],
        "backend_budget_left": [(backends,)],
        "backend_circuit_state": [(backends,)],
        "backend_rate_limit_wait_seconds": [(backends,)],
        "backend_http_requests_total": [(backends, CALLERS)],
        "backend_throttled_requests_total": [(backends,)],
    }


def needing_operator() -> tuple[str, ...]:
    """Codes of users and devices that wait for a person."""
    permanent = _codes(FAILURES, Family.PERMANENT)
    return tuple(dict.fromkeys((*permanent, *_installing(), *LOST, COPY_OVERDUE)))


def _installing() -> tuple[str, ...]:
    return tuple(code for code in catalogue() if code.startswith("INS-"))


def _codes(areas: Values, *families: Family) -> tuple[str, ...]:
    return tuple(
        code
        for code, entry in catalogue().items()
        if code.partition("-")[0] in areas and entry.family in families
    )
