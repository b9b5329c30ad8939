"""Opening: what is checked, who is kept out, and how an old file becomes a new one."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.core.journal import PartitionRecord, StatusFilter
from connector.core.model import SubjectKind, subject_key
from connector.journal import states, tables
from connector.journal.connection import open_reading, open_writing
from connector.journal.events import row_of
from connector.journal.partition_signals import PartitionSignals
from connector.journal.settings import SqliteSettings
from connector_testkit.conformance.journal_samples import (
    event,
    holder,
    read_ids,
    refusal,
    some_subjects,
    soon,
    want,
)
from tests.journal.sqlite_world import PARTITIONS, SqliteWorld, opened

HOLD_LOCK = """
import sys
from pathlib import Path
from connector.journal.lockfile import LockFile
LockFile(Path(sys.argv[1])).take()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.db"


@pytest.fixture
def text_file(path: Path) -> Path:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but text of more than a hundred bytes" * 4)
    return path


def pragmas(connection: sqlite3.Connection, *names: str) -> list[object]:
    return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


async def test_durability_is_what_it_must_be(path: Path) -> None:
    """Each setting that a promise rests on, read back from the open connections."""
    async with opened(path):
        pass
    writing, reading = open_writing(path), open_reading(path)
    relied_on = ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint", "mmap_size")
    assert pragmas(writing, *relied_on) == ["wal", 2, 1, 0, 0]
    assert pragmas(reading, "query_only", "wal_autocheckpoint") == [1, 0]
    with pytest.raises(sqlite3.OperationalError):
        reading.execute("DELETE FROM events")
    reading.close()
    writing.close()


async def test_nobody_else_may_read_the_files(path: Path) -> None:
    """The journal holds who has which device; its files are the service's alone."""
    async with opened(path) as world:
        await world.journal.append([event(some_subjects(world.journal, 1)[0])])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) == {"journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_clean_stop_leaves_one_file_with_everything(path: Path) -> None:
    """The log is copied and removed, so that a copy of the database file is a whole backup."""
    async with opened(path) as world:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject)])
        partition = 0
    assert not path.with_name("journal.db-wal").exists()
    async with opened(path) as world:
        assert await read_ids(world.journal, partition) == [event(subject).id]


async def test_a_second_journal_on_the_file_is_refused(path: Path) -> None:
    """Also in the same process, and until the first is closed."""
    async with opened(path) as world:
        second = world.another()
        assert (await refusal(second.open())).code == "JRN-004"
        await second.close()
    await second.open()
    await second.close()


@pytest.mark.parametrize("left", [".before-1790000000000", ".partial", "-wal"])
async def test_no_empty_journal_takes_the_place_of_a_lost_one(path: Path, left: str) -> None:
    """What an earlier one left beside it has to be moved away by a person first."""
    path.parent.mkdir()
    other = path.with_name(path.name + left)
    other.touch()
    world = SqliteWorld(path)
    assert (await refusal(world.journal.open())).code == "JRN-016"
    assert not await asyncio.to_thread(path.exists)
    other.unlink()
    await world.journal.open()
    await world.journal.close()
    other.touch()
    await world.restart()
    await world.journal.close()


@pytest.fixture
def holding_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock."""
    path.parent.mkdir()
    command = [sys.executable, "-c", HOLD_LOCK, f"{path}.lock"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


async def test_another_process_keeps_the_file(
    path: Path, holding_process: subprocess.Popen[str]
) -> None:
    """The lock is the other process's until it ends, however it ends."""
    assert (await refusal(SqliteWorld(path).journal.open())).code == "JRN-004"
    holding_process.kill()
    holding_process.wait()
    async with opened(path):
        pass


async def test_a_symbolic_link_leads_to_the_same_lock(path: Path, tmp_path: Path) -> None:
    """Of the file as well as of its folder."""
    (tmp_path / "folder").symlink_to(path.parent)
    (tmp_path / "link.db").symlink_to(path)
    async with opened(path):
        for other in (tmp_path / "folder" / path.name, tmp_path / "link.db"):
            error = await refusal(SqliteWorld(other).journal.open())
            assert (error.code, f"locking {path}" in error.detail) == ("JRN-004", True)
    async with opened(tmp_path / "link.db") as world:
        assert world.journal.trouble() is None


async def test_the_number_of_partitions_is_fixed(path: Path) -> None:
    """Another number would send subjects to other owners."""
    async with opened(path) as world:
        other = world.another(partitions=PARTITIONS + 1)
    assert (await refusal(other.open())).code == "JRN-005"
    async with opened(path):
        pass


async def test_a_failed_opening_can_be_repeated(text_file: Path) -> None:
    """It releases file and lock."""
    world = SqliteWorld(text_file)
    assert (await refusal(world.journal.open())).code == "JRN-004"
    await asyncio.to_thread(text_file.unlink)
    await world.journal.open()
    await world.journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        f"PRAGMA user_version = {tables.VERSION + 1}",
        "PRAGMA application_id = 1",
    ],
)
async def test_a_file_of_another_program_or_version_is_refused(path: Path, statement: str) -> None:
    """A newer schema is not guessed at, and a stranger's file not written to."""
    async with opened(path):
        pass
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    assert (await refusal(SqliteWorld(path).journal.open())).code == "JRN-004"


async def test_a_database_with_other_tables_is_refused(path: Path) -> None:
    """The path is that of another kind of file."""
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE accounts (id)")
    database.close()
    assert (await refusal(SqliteWorld(path).journal.open())).code == "JRN-004"


async def test_a_folder_that_cannot_be_made_is_named_by_code(tmp_path: Path) -> None:
    """A wrong mount is a fault of the settings, not a stack trace."""
    (tmp_path / "file").write_text("in the way")
    assert (await refusal(SqliteWorld(tmp_path / "file" / "j.db").journal.open())).code == "JRN-004"


async def test_an_old_file_is_upgraded_with_all_it_holds(path: Path) -> None:
    """A file of schema version 1 opens, keeps events, ids and states, and gets what is new."""
    journal = SqliteWorld(path).journal
    subject, other = some_subjects(journal, 2)
    state = holder(subject, version=3, wants=(want("x", 5),))
    path.parent.mkdir()
    old = open_writing(path)
    old.execute("BEGIN")
    tables.upgrade(old, 0, 1)
    old.executemany(
        "INSERT INTO partitions VALUES (?, 0, 0, 0, ?)",
        [(n, PartitionRecord(partition=n).model_dump_json().encode()) for n in range(PARTITIONS)],
    )
    brake = event(subject_key("-", SubjectKind.PARTITION, "0"))
    old.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
        [
            (place, *row_of(one, PARTITIONS)[:4])
            for place, one in enumerate([event(other), brake], start=1)
        ],
    )
    states.put(old, [states.columns(state, 0)], states.wants(state, 0))
    old.execute("COMMIT")
    old.close()
    async with opened(path) as world:
        assert await read_ids(world.journal, 0) == [event(other).id, brake.id]
        assert [one.event for one in (await world.journal.commands(0, 0)).found] == [brake]
        assert await world.journal.append([event(other)]) == [False]
        assert await world.journal.status(StatusFilter()) == [state]
        assert [one.key for one in await world.journal.due(0, "x", 5, 1)] == [subject]
    reading = open_reading(path)
    assert pragmas(reading, "user_version") == [tables.VERSION]
    named = "SELECT count(*) FROM sqlite_schema WHERE name = 'states_listed'"
    assert reading.execute(named).fetchone() == (1,)
    reading.close()


async def test_a_closed_journal_refuses(path: Path) -> None:
    """No call hangs."""
    async with opened(path) as world:
        journal = world.journal
    for verb in (journal.append([]), journal.take_over(0), journal.read(0, 0, 1), journal.lanes(0)):
        assert (await refusal(verb)).code == "JRN-001"


async def test_a_partition_that_is_not_there_cannot_be_taken(path: Path) -> None:
    """A wrong number is a fault of the settings."""
    async with opened(path) as world:
        assert (await refusal(world.journal.take_over(PARTITIONS))).code == "JRN-005"


async def test_a_row_of_a_partition_that_is_not_there_is_refused(path: Path) -> None:
    """A foreign key holds the tables together against a program error."""
    async with opened(path) as world:
        assert (await refusal(world.plant(PARTITIONS, b"{}"))).code == "JRN-006"


async def test_a_lost_journal_is_closed_without_copying_its_log(path: Path) -> None:
    """Pages that the kernel lost must not reach the database file; recovery checks each of them."""
    async with opened(path) as world:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject)])
        before = await asyncio.to_thread(path.read_bytes)
        world.journal._opened().writer.lose(Permanent("JRN-002"))
    assert await asyncio.to_thread(path.read_bytes) == before
    async with opened(path) as world:
        assert await read_ids(world.journal, 0) == [event(subject).id]


async def test_a_bell_rings_once() -> None:
    """Old news wake no owner twice, else an idle partition would spin."""
    bells = PartitionSignals(2)
    bells.ring([0])
    await soon(bells.wait(0, 100))
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(bells.wait(0, 100))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()


def test_ids_cannot_be_forgotten_before_senders_give_up() -> None:
    """Senders repeat for days; less than seven is refused."""
    with pytest.raises(ValueError, match="ids_kept"):
        SqliteSettings(ids_kept=timedelta(days=7) - timedelta(milliseconds=1))
