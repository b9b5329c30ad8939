"""Brokers for tests, demo and benchmarks: fetched whole or not at all, and ended for sure."""

import os
import signal
import stat
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.kafka_program import BrokerUnavailable, cache, class_path
from tests.kafka.by_hand import make_by_hand


def program(folder: Path, name: str, text: str) -> Path:
    """A program that stands for another on the search path."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Java and an empty cache, and nothing else on the search path."""
    folder = tmp_path / "bin"
    program(folder, "java", "echo 'openjdk version \"17.0.1\"' >&2")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


async def test_what_is_missing_is_named(bare: Path) -> None:
    """Maven, a new enough Java, any Java."""
    with pytest.raises(BrokerUnavailable, match="Maven is not installed"):
        await class_path()
    program(bare, "java", "echo 'openjdk version \"11.0.2\"' >&2")
    with pytest.raises(BrokerUnavailable, match="Java is older than 17"):
        await class_path()
    (bare / "java").unlink()
    with pytest.raises(BrokerUnavailable, match="Java 17 is not installed"):
        await class_path()


async def test_an_interrupted_download_is_not_taken_for_whole(bare: Path) -> None:
    """Maven that fails half-way leaves nothing; the next try fetches everything."""
    put = 'for last; do :; done; d="${last#-DoutputDirectory=}"; /bin/mkdir -p "$d"; : > "$d/a.jar"'
    program(bare, "mvn", f"{put}; exit 1")
    with pytest.raises(BrokerUnavailable, match="Maven could not fetch"):
        await class_path()
    assert list(cache().parent.iterdir()) == []
    program(bare, "mvn", put)
    assert await class_path() == str(cache() / "*")
    assert [file.name for file in cache().iterdir()] == ["a.jar"]


async def test_a_broker_that_cannot_be_made_says_why(bare: Path, tmp_path: Path) -> None:
    """What the program said last is in the error."""
    cache().mkdir(parents=True)
    program(bare, "java", "echo 'openjdk version \"17.0.1\"' >&2; echo no disk >&2; exit 3")
    with pytest.raises(BrokerUnavailable, match=r"formatting broker 1: .*\n?no disk"):
        await Brokers(tmp_path / "nodes").__aenter__()


async def test_what_was_fetched_needs_no_maven(bare: Path) -> None:
    """The cache is kept between runs."""
    cache().mkdir(parents=True)
    assert await class_path() == str(cache() / "*")
    assert not (bare / "mvn").exists()


async def listed(brokers: Brokers) -> list[str]:
    """The topics, asked again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers.bootstrap)
    await admin.start()
    try:
        topics: list[str] = await admin.list_topics()
        return topics
    finally:
        await admin.close()


@pytest.mark.usefixtures("broker")
async def test_a_broker_serves_dies_and_comes_back(tmp_path: Path) -> None:
    """Killed like a crash and started again it is the same broker, with its data."""
    async with Brokers(tmp_path) as brokers:
        node = brokers.nodes[0]
        admin = AIOKafkaAdminClient(bootstrap_servers=brokers.bootstrap)
        await admin.start()
        await make_by_hand(admin, NewTopic("kept", 1, 1))
        await admin.close()
        node.signal(signal.SIGSTOP)
        await node.kill()
        assert not node.running
        await node.start()
        assert await listed(brokers) == ["kept"]
        pid = node.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
