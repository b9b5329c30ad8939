"""The writer thread: group commit, limits, and what it does when the disk fails."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.core.errors import ConnectorError, Family, Permanent
from connector.journal import tables
from connector.journal.connection import open_writing
from connector.journal.database import Connection
from connector.journal.events import EventLog, EventRow
from connector.journal.write_queue import Limits
from connector.journal.writer import Writer
from connector_testkit.conformance.journal_samples import refusal, soon
from tests.journal.faulty import FaultyConnection, sqlite_error
from tests.journal.sqlite_world import PARTITIONS

SYNC_FAILED = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC")
DISK_FULL = sqlite_error(sqlite3.SQLITE_FULL, "SQLITE_FULL")


def rows(*names: str) -> list[EventRow]:
    return [(0, name, 1, b"{}", None) for name in names]


@dataclass
class Scene:
    """A writer on a connection that fails on command, with a clock that stands still."""

    connection: FaultyConnection
    now: float = 0.0
    lost: list[Permanent] = field(default_factory=list)
    announced: list[set[int]] = field(default_factory=list)

    def start(self) -> Writer:
        return Writer(
            self.connection,
            lambda: None,
            limits=Limits(waiting=4, age=2.0),
            monotonic=lambda: self.now,
            announce=self.announced.append,
            on_lost=self.lost.append,
        )

    def stored(self) -> list[str]:
        return [name for (name,) in self.connection.execute("SELECT id FROM events ORDER BY 1")]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    connection = open_writing(tmp_path / "journal.db")
    tables.prepare(connection, PARTITIONS)
    yield Scene(FaultyConnection(connection))
    connection.close()


@pytest.fixture
async def writer(scene: Scene) -> AsyncIterator[Writer]:
    writer = scene.start()
    yield writer
    scene.connection.gate.set()
    await writer.close()


async def held_back(scene: Scene, writer: Writer) -> asyncio.Future[list[bool]]:
    """An append whose commit waits at the gate, so that what comes after it has to wait."""
    scene.connection.gate.clear()
    first = writer.append(rows("held"))
    await scene.connection.reached("COMMIT")
    return first


def refused(writer: Writer, *names: str) -> ConnectorError:
    """The error that an append is refused with at once."""
    with pytest.raises(ConnectorError) as caught:
        _ = writer.append(rows(*names))
    return caught.value


async def test_all_that_waited_shares_one_commit(scene: Scene, writer: Writer) -> None:
    """While one commit runs the next batch collects itself."""
    first = await held_back(scene, writer)
    others = [writer.append(rows(name)) for name in "abcd"]
    scene.connection.gate.set()
    assert [await one for one in (first, *others)] == [[True]] * 5
    assert scene.connection.commits() == 2
    assert scene.announced == [{0}, {0}]


async def test_too_many_waiting_events_are_refused(scene: Scene, writer: Writer) -> None:
    """The list is bounded; a later caller is asked to come again."""
    first = await held_back(scene, writer)
    waiting = writer.append(rows("a", "b", "c", "d"))
    error = refused(writer, "e")
    assert (error.code, error.family) == ("JRN-001", Family.TRANSIENT)
    assert error.retry_after
    scene.connection.gate.set()
    assert await first
    assert await waiting
    assert await writer.append(rows("e")) == [True]


async def test_an_old_queue_refuses_before_senders_give_up(scene: Scene, writer: Writer) -> None:
    """A stalled disk becomes a refusal once the oldest event waited for two seconds."""
    first = await held_back(scene, writer)
    waiting = writer.append(rows("a"))
    scene.now = 2.0
    also = writer.append(rows("b"))
    scene.now = 2.1
    assert refused(writer, "c").code == "JRN-001"
    scene.connection.gate.set()
    assert [await one for one in (first, waiting, also)] == [[True]] * 3


async def test_a_round_is_not_refused_for_a_flood_of_events(scene: Scene, writer: Writer) -> None:
    """Otherwise a flood could never be worked off."""
    first = await held_back(scene, writer)
    flood = writer.append(rows(*"abcd"))
    work = writer.run(lambda _connection, _log: "done")
    scene.connection.gate.set()
    assert await work == "done"
    assert await first
    assert await flood


async def test_a_cancelled_caller_leaves_his_row(scene: Scene, writer: Writer) -> None:
    """The sender will repeat it, and the id absorbs it."""
    first = await held_back(scene, writer)
    cancelled = writer.append(rows("a"))
    cancelled.cancel()
    scene.connection.gate.set()
    assert await first
    assert await writer.append(rows("a")) == [False]


async def test_a_work_that_fails_takes_only_its_own_changes_back(
    scene: Scene, writer: Writer
) -> None:
    """One bad round must not spoil the batch."""

    def twice_the_same(connection: Connection, log: EventLog) -> None:
        log.insert(connection, rows("undone"))
        connection.execute("INSERT INTO audit VALUES (0, 1, x'00'), (0, 1, x'00')")

    first = await held_back(scene, writer)
    good, bad = writer.append(rows("a")), writer.run(twice_the_same)
    also = writer.run(lambda connection, log: log.insert(connection, rows("b")))
    scene.connection.gate.set()
    error = await refusal(bad)
    assert (error.code, error.family) == ("JRN-006", Family.PERMANENT)
    assert [await one for one in (first, good, also)] == [[True]] * 3
    assert scene.connection.commits() == 2
    assert scene.stored() == ["a", "b", "held"]
    assert scene.lost == []


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO events", "COMMIT"])
async def test_a_full_disk_refuses_and_recovers(
    scene: Scene, writer: Writer, statement: str
) -> None:
    """Nothing is acknowledged, nothing of it is kept, and it goes on when there is room."""
    scene.connection.faults = {statement: DISK_FULL}
    error = await refusal(writer.append(rows("a")))
    assert (error.code, error.family) == ("JRN-001", Family.TRANSIENT)
    scene.connection.faults = {}
    assert scene.stored() == []
    assert writer.trouble is not None
    troubles = [writer.trouble]
    assert await writer.append(rows("a")) == [True]
    assert [one is None for one in [*troubles, writer.trouble]] == [False, True]
    assert scene.lost == []


async def test_a_failed_sync_is_the_end(scene: Scene, writer: Writer) -> None:
    """After EIO every caller fails, the owner is notified once, and nothing touches the file."""
    callers: list[asyncio.Future[Any]] = [
        await held_back(scene, writer),
        writer.append(rows("a")),
        writer.run(lambda _connection, _log: None),
    ]
    scene.connection.faults = {"COMMIT": SYNC_FAILED}
    scene.connection.gate.set()
    for future in callers:
        error = await refusal(future)
        assert (error.code, error.family) == ("JRN-002", Family.PERMANENT)
    assert refused(writer, "b").code == "JRN-002"
    await writer.close()
    assert scene.connection.statements[-1] == "COMMIT"
    assert scene.connection.commits() == 1
    assert [fault.code for fault in scene.lost] == ["JRN-002"]


async def test_rows_of_another_program_are_the_end_as_well(scene: Scene, writer: Writer) -> None:
    """Not with the code of a failed disk; a new start reads the file again."""
    assert await writer.append(rows("ours"))
    taken = (2, 0, "theirs", 1, b"{}", None)  # the position that the writer would give next
    scene.connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", taken)
    error = await refusal(writer.append(rows("late")))
    assert (error.code, error.detail) == (
        "JRN-017",
        "writing journal: SQLITE_CONSTRAINT_PRIMARYKEY",
    )
    assert refused(writer, "b").code == "JRN-017"
    assert [fault.code for fault in scene.lost] == ["JRN-017"]
    assert scene.stored() == ["ours", "theirs"]


async def test_a_failed_sync_of_a_checkpoint_is_the_end_too(scene: Scene, writer: Writer) -> None:
    """SQLite itself would ignore it when it checkpoints inside a commit."""
    scene.connection.faults = {"PRAGMA wal_checkpoint": SYNC_FAILED}
    many = [(0, f"{number}", 1, b"{}", None) for number in range(9000)]
    assert all(await writer.append(many))
    await soon(writer.close())
    assert [fault.code for fault in scene.lost] == ["JRN-002"]


async def test_a_quiet_moment_is_used_for_a_checkpoint(scene: Scene, writer: Writer) -> None:
    """So that a log which is long from a busy hour does not wait for the next one."""
    await writer.append([(0, f"{number}", 1, b"{}", None) for number in range(600)])
    await scene.connection.reached("PRAGMA wal_checkpoint")


async def test_a_fault_of_the_program_leaves_nobody_waiting(scene: Scene, writer: Writer) -> None:
    """With any exception of a work, its caller and all others get an answer."""
    first = await held_back(scene, writer)
    broken = writer.run(lambda _connection, _log: 1 // 0)
    other = writer.append(rows("a"))
    scene.connection.gate.set()
    assert await first
    assert (await refusal(broken)).code == "JRN-002"
    assert (await refusal(other)).code == "JRN-002"
    assert [fault.code for fault in scene.lost] == ["JRN-002"]


async def test_closing_writes_what_waits(scene: Scene, writer: Writer) -> None:
    """What was taken is finished; what comes later is refused."""
    first = await held_back(scene, writer)
    waiting = writer.append(rows("a"))
    async with asyncio.TaskGroup() as tasks:
        closing = tasks.create_task(writer.close())
        await asyncio.sleep(0)
        assert refused(writer, "b").code == "JRN-001"
        scene.connection.gate.set()
        assert await first
        assert await waiting == [True]
        await closing
    assert scene.lost == []
