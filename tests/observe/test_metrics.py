"""What is counted, under which labels."""

import ast
import re
from collections.abc import Iterator
from math import isnan
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from connector.catalogue import catalogue
from connector.core.journal import PartitionRecord
from connector.core.metric_definitions import (
    BUILD_INFO,
    CATALOGUE,
    DLQ_MESSAGES,
    JOURNAL_WAITING,
    WEBHOOK_AUTH_FAILURES,
)
from connector.core.metrics import PREFIX, Counter, Gauge, Histogram, Metrics, NoMetrics
from connector.core.moments import RULES, publish
from connector.core.step import Moment
from connector.observe.families import Families
from connector.observe.initial_series import CONDITIONS, seeds
from connector.observe.labels import Names
from connector.observe.metrics import Build, PrometheusMetrics
from connector.observe.reference import metrics_page
from connector.wiring.conditions import Board
from connector.wiring.pulls import Watch
from connector.wiring.reloading import Reloads
from connector.worker.options import untold
from connector.worker.round_publisher import RoundPublisher
from tests.support.clocks import ManualClock
from tests.support.counted import source_capabilities

ROOT = Path(__file__).parents[2]
NAMES = Names(
    targets=("acme",),
    backends=("ca:main", "uem:acme"),
    partitions=2,
    sources=source_capabilities(),
)


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics(NAMES, Build("1.0", "abc", "3.11"))


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(PREFIX + name, labels)


def samples(registry: CollectorRegistry) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in registry.collect():
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def test_every_known_combination_is_there_from_the_start(metrics: PrometheusMetrics) -> None:
    """A rate works from the first scrape on, and nothing but the build is other than zero."""
    registry = metrics.registry
    found = {
        (name, tuple(sorted(labels.items())))
        for name, labels, number in samples(registry)
        if number == 0 and not name.endswith("_created")
    }
    assert len(found) > 500
    for outcome in ("accepted", "duplicate"):
        event = {"source": "workspace-one", "event_type": "device_enrolled", "outcome": outcome}
        assert value(registry, "webhook_events_total", **event) == 0
    failed = {
        "target": "acme",
        "trigger": "enrolment",
        "outcome": "failed",
        "error_code": "KEY-101",
    }
    assert value(registry, "deliveries_total", **failed) == 0
    refused = {"target": "acme", "outcome": "refused", "error_code": "UEM-005"}
    assert value(registry, "hand_overs_total", **refused) == 0
    for backend in NAMES.backends:
        assert value(registry, "backend_circuit_state", backend=backend) == 0
        for outcome in ("ok", "transient", "permanent"):
            operation = "list" if backend == "ca:main" else "push"
            labels = {"backend": backend, "operation": operation, "outcome": outcome}
            name = "backend_request_duration_seconds_count"
            assert value(registry, name, **labels) == 0, labels


def test_every_condition_by_name_is_there_from_the_start() -> None:
    """Each code that the program reports itself; those of an upstream's fault come with it."""
    told: set[str] = set()
    for path in (ROOT / "connector").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        told |= set(re.findall(r"board\.report\([^()]*Severity\.\w+, \"(\w+-\d+)\"", text))
    assert len(told) >= 6
    assert told <= set(CONDITIONS)


def test_a_scrape_stays_small_and_shows_the_process(metrics: PrometheusMetrics) -> None:
    """One UEM and one CA: fewer than 2,300 series at the start, those of the process included."""
    found = [name for name, _, _ in samples(metrics.registry)]
    assert len(found) < 2300
    assert {"process_resident_memory_bytes", "process_open_fds", "python_info"} <= set(found)


def test_labels_count_the_same_in_any_order(metrics: PrometheusMetrics) -> None:
    """What is kept by the labels as they were given is one series in the end."""
    for _ in range(2):
        metrics.count(WEBHOOK_AUTH_FAILURES, source="workspace-one", error_code="AUTH-001")
        metrics.count(WEBHOOK_AUTH_FAILURES, error_code="AUTH-001", source="workspace-one")
    labels = {"source": "workspace-one", "error_code": "AUTH-001"}
    assert value(metrics.registry, "webhook_auth_failures_total", **labels) == 4


def test_what_is_not_known_yet_is_there_without_a_value() -> None:
    """A zero would read as a budget that is spent, a broken trail, an end in 1970."""
    names = NAMES._replace(credentials=("tls-server",), feeds={"uem:acme": ("device_enrolled",)})
    registry = PrometheusMetrics(names, Build("1.0", "abc", "3.11")).registry
    credential = {"credential": "tls-server"}
    for name, labels in (
        ("audit_chain_valid", {}),
        ("backend_budget_left", {"backend": "ca:main"}),
        ("pull_last_success_timestamp_seconds", {"backend": "uem:acme"}),
        ("own_credential_expiry_timestamp_seconds", credential),
    ):
        assert isnan(value(registry, name, **labels) or 0), name


def test_seeds_are_within_the_vocabulary() -> None:
    """No seeded value is one that would be counted as other later."""
    families = Families(NAMES)
    for metric, labels in seeds(NAMES):
        assert labels in families.children(metric), (metric, labels)


def test_number_of_series_is_bounded(metrics: PrometheusMetrics) -> None:
    """With any label values, the number of series does not grow."""

    def strange(number: int) -> None:
        text = f"strange-{number}"
        for metric in CATALOGUE:
            labels = dict.fromkeys(metric.labels, text)
            if metric is BUILD_INFO:
                continue
            if isinstance(metric, Counter):
                metrics.count(metric, **labels)
            elif isinstance(metric, Gauge):
                metrics.gauge(metric, 1, **labels)
            elif isinstance(metric, Histogram):
                metrics.observe(metric, 0.1, **labels)

    strange(0)
    count = len(list(samples(metrics.registry)))
    for number in range(1, 50):
        strange(number)
    assert len(list(samples(metrics.registry))) == count
    assert "strange" not in str(list(samples(metrics.registry)))


@pytest.mark.parametrize(
    ("moment", "metric", "labels", "number"),
    [
        (
            Moment("delivery_opened", {"trigger": "renewal"}),
            "deliveries_opened_total",
            {"trigger": "renewal"},
            1,
        ),
        (
            Moment("keys_disclosed", {"reason": "enrolment"}, 4),
            "keys_disclosed_total",
            {"reason": "enrolment"},
            4,
        ),
        (
            Moment("enrolment_to_ready", {"platform": "apple"}, 90_000),
            "enrolment_to_ready_seconds_sum",
            {"platform": "apple"},
            90,
        ),
        (
            Moment("phase_left", {"stage": "planning", "outcome": "handing_over"}, 500),
            "delivery_stage_duration_seconds_sum",
            {"stage": "planning", "outcome": "handing_over"},
            0.5,
        ),
        (
            Moment("copy_gone", {"method": "platform_timed"}, 3_000),
            "purges_total",
            {"method": "platform_timed", "outcome": "gone"},
            1,
        ),
        (
            Moment("copy_gone", {"method": "platform_timed"}, 3_000),
            "copy_lifetime_seconds_sum",
            {},
            3,
        ),
        (Moment("copy_overdue"), "purges_total", {"method": "none", "outcome": "overdue"}, 1),
    ],
    ids=lambda given: given.name if isinstance(given, Moment) else str(given)[:12],
)
def test_moments_move_their_metric(
    metrics: PrometheusMetrics, moment: Moment, metric: str, labels: dict[str, str], number: float
) -> None:
    """By one, by their value, or by their duration in seconds; the target comes with each."""
    publish(metrics, moment, "acme")
    assert value(metrics.registry, metric, target="acme", **labels) == number


def test_every_moment_of_the_core_has_a_rule() -> None:
    """A moment that is counted nowhere would be lost in silence."""
    noted: set[str] = set()
    for path in (ROOT / "connector" / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                first = node.args[0] if node.args else None
                if node.func.attr == "moment" and isinstance(first, ast.Constant):
                    noted.add(str(first.value))
    assert noted >= {"delivery_opened", "delivery_ended", "enrolment_to_ready"}
    assert noted <= RULES.keys()


def test_the_end_of_a_chain_is_shown(metrics: PrometheusMetrics) -> None:
    """Its length and head by partition, and the newest time of all partitions."""
    record = PartitionRecord(partition=1, audit_count=7, audit_head="0123456789abcdef" * 4)
    publisher = RoundPublisher(metrics, untold, untold)
    publisher.chain(record, 1_772_700_000_500)
    publisher.chain(record.model_copy(update={"partition": 0}), 1_772_600_000_000)
    registry = metrics.registry
    assert value(registry, "audit_records", partition="1") == 7
    assert value(registry, "audit_head_prefix", partition="1") == 0x0123456789AB
    assert value(registry, "audit_last_append_timestamp_seconds") == 1_772_700_000.5


def test_a_page_of_a_feed_is_counted_and_dated() -> None:
    """From zero on where a feed is set; its time is not known before the first page."""
    names = NAMES._replace(feeds={"uem:acme": ("device_enrolled",)})
    metrics = PrometheusMetrics(names, Build("1.0", "abc", "3.11"))
    registry, event = metrics.registry, {"backend": "uem:acme", "event_type": "device_enrolled"}
    when = "pull_last_success_timestamp_seconds"
    assert value(registry, "pulled_events_total", **event, outcome="duplicate") == 0
    assert isnan(value(registry, when, backend="uem:acme") or 0)
    page = {("device_enrolled", True): 2, ("device_enrolled", False): 1}
    clock = ManualClock(wall=5_000)
    Watch(clock, Board(clock, metrics), metrics).pulled("uem:acme", page)
    assert value(registry, "pulled_events_total", **event, outcome="accepted") == 2
    assert value(registry, "pulled_events_total", **event, outcome="duplicate") == 1
    assert value(registry, when, backend="uem:acme") == 5


def test_failed_reload_leaves_the_time_of_the_last_good_one(metrics: PrometheusMetrics) -> None:
    """So that the alert can say since when."""
    clock = ManualClock(wall=1_000)
    reloads = Reloads(metrics, clock)
    reloads.count("secrets", accepted=True)
    clock.advance(8_000)
    reloads.count("secrets", accepted=False)
    assert value(metrics.registry, "config_last_reload_successful") == 0
    assert value(metrics.registry, "config_last_reload_success_timestamp_seconds") == 1


@pytest.mark.parametrize("port", [NoMetrics(), PrometheusMetrics(NAMES, Build("", "", ""))])
def test_labels_are_those_of_the_definition(port: Metrics) -> None:
    """One that is missing, misspelt or too many is refused, also where nothing is published."""
    for labels in ({}, {"queues": "events"}, {"queue": "events", "target": "acme"}):
        with pytest.raises(TypeError, match="journal_waiting"):
            port.gauge(JOURNAL_WAITING, 1, **labels)


def test_names_follow_the_conventions() -> None:
    """Counters end in _total, histograms in their unit, and nothing else does."""
    for metric in CATALOGUE:
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert metric.kind != "histogram" or metric.name.endswith("_seconds"), metric.name
        assert not isinstance(metric, Histogram) or metric.buckets, metric.name
        assert metric.help.endswith("."), metric.name
        assert not set(metric.labels) & {"user", "device", "person", "holder", "mail"}


def test_error_codes_are_those_of_the_catalogue(metrics: PrometheusMetrics) -> None:
    """Any code of the catalogue is counted under its own name."""
    for code in catalogue():
        metrics.count(DLQ_MESSAGES, queue="events", error_code=code)
        labels = {"queue": "events", "error_code": code}
        assert value(metrics.registry, "dlq_messages_total", **labels) == 1


def test_page_is_up_to_date() -> None:
    """docs/metrics.md is what the catalogue says; `make docs` writes it."""
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == metrics_page()
