"""The blocks on a real broker with tiny numbers, and what becomes of them where there is none."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from aiokafka.structs import ConsumerRecord

from bench.block import Block, Measure, Time, run
from bench.blocks import (
    KAFKA,
    kafka_intake,
    kafka_memory,
    kafka_pipeline,
    kafka_restore,
    kafka_takeover,
)
from bench.cluster import missing
from bench.rounds import transactions
from connector.core.journal import PartitionRecord
from connector.journal.kafka.names import Names
from connector.journal.kafka.records import own_outgoing
from tests.conftest import Needs

TINY = 20
ALWAYS = Time(float("inf"), float("inf"))
LOOP, BARE = Names("loop"), Names("bare")


@pytest.fixture
def on_brokers(needs: Needs) -> None:
    needs("java")
    needs("mvn")


def figures(found: AbstractContextManager[Measure]) -> dict[str, float]:
    with found as measure:
        return dict(measure() or {})


def test_without_a_broker_the_reason_is_told(tmp_path: Path) -> None:
    """Nothing is started, nothing is tried again, and there is no value."""

    def opened(_: Path) -> AbstractContextManager[Measure]:
        raise AssertionError("nothing may be started")

    block = Block(("kafka-memory-backlog",), opened, missing=lambda: "Java 17 is not installed")
    measured = run(block, tmp_path, ALWAYS)
    assert measured.void == "skipped, Java 17 is not installed"
    assert measured.values("kafka-memory-backlog") == []


def test_every_block_with_a_broker_says_when_there_is_none() -> None:
    """And no other does."""
    assert all(block.missing is missing for block in KAFKA.blocks)


def record(topic: str, offset: int, key: bytes, value: bytes, **headers: bytes) -> ConsumerRecord:
    named = list(headers.items())
    return ConsumerRecord(topic, 0, offset, 0, 0, key, value, 0, len(key), len(value), named)


def own(offset: int, commits: int, audit_count: int) -> ConsumerRecord:
    known = PartitionRecord(partition=0, commits=commits, position=5, audit_count=audit_count)
    _, _, key, value, _ = own_outgoing(known, {}, LOOP.states)
    return record(LOOP.states, offset, key, value or b"")


def test_a_round_is_put_together_from_the_topics() -> None:
    """States up to the partition's own record, the audit it counts, and the events to others."""
    found = [
        record(LOOP.states, 1, b"first", b"1"),
        own(2, commits=1, audit_count=1),
        record(LOOP.states, 4, b"second", b"2"),
        own(5, commits=2, audit_count=2),
        record(LOOP.audit, 1, b"", b"one", sequence=b"1"),
        record(LOOP.audit, 3, b"", b"two", sequence=b"2"),
        record(LOOP.events, 9, b"", b"told", ce_id=b"known"),
        record(LOOP.events, 10, b"", b"appended", ce_id=b"from outside"),
    ]
    (first, second) = transactions(found, LOOP, BARE, {(0, 2): ["known"]})[0]
    assert [(one.topic, one.value) for one in first.records] == [
        (BARE.states, b"1"),
        (BARE.states, found[1].value),
        (BARE.audit, b"one"),
    ]
    assert [one.value for one in second.records[-2:]] == [b"two", b"told"]
    assert (first.position, second.position) == (5, None)


@pytest.mark.slow
@pytest.mark.usefixtures("on_brokers")
def test_intake_counts_records_against_answers(tmp_path: Path) -> None:
    """As many records as there were 2xx and acknowledgements, or the block would be void."""
    found = figures(kafka_intake.opened(tmp_path, seconds=0.3))
    assert found["kafka-intake-vs-producer"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("on_brokers")
def test_the_pipeline_is_measured_against_its_own_records(tmp_path: Path) -> None:
    """Every transition is found in the topics and written once more."""
    found = figures(kafka_pipeline.opened(tmp_path, holders=TINY))
    assert found["kafka-pipeline-vs-transactions"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("on_brokers")
def test_a_restore_is_measured(tmp_path: Path) -> None:
    """Both ways find all of the states."""
    found = figures(kafka_restore.opened(tmp_path, states=500))
    assert found["kafka-restore-vs-consumer"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("on_brokers")
def test_memory_is_measured(tmp_path: Path) -> None:
    """A pair of processes has worked and tells its size."""
    found = figures(kafka_memory.opened(tmp_path, backlog=500, holders=TINY))
    assert found["kafka-memory-backlog"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("on_brokers")
def test_a_takeover_is_measured(tmp_path: Path) -> None:
    """The partitions of the killed process are served by the other one, but not at once."""
    found = figures(kafka_takeover.opened(tmp_path))
    assert found["kafka-takeover-vs-session"] > 0.5
