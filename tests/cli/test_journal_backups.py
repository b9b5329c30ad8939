"""Backups at an interval: a series that goes on after a restart, and a command that ends."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from connector.cli.journal_backups import AGAIN, take, until_stopped
from connector.cli.output import Format, Screen
from connector.core.errors import Permanent
from connector.journal.backup_mark import marked
from connector.journal.backup_series import BackupSeries
from connector.journal.sealing import private_key, unseal
from tests.cli.calls import Command
from tests.cli.key_files import key_pair
from tests.operators.world import AdminWorld, holder
from tests.patience import PATIENCE

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    """A wall clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
async def journal(tmp_path: Path) -> Path:
    world = AdminWorld(tmp_path)
    await world.open()
    await world.put(holder(1))
    return world.path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


def test_a_series_keeps_the_newest_and_goes_on_after_a_restart(journal: Path, folder: Path) -> None:
    """What is due follows from the files alone; a file of another name is left alone."""
    clock = Clock()
    (folder / "journal-of-anna.sqlite").touch()
    series = BackupSeries(journal, folder, DAY, 2, clock)
    assert marked(journal) is None
    for day in range(4):
        clock.time = BEGIN + day * DAY
        assert series.due_in() == timedelta()
        series.take()
        assert series.due_in() == DAY
    assert marked(journal) is not None
    names = sorted(one.name for one in folder.iterdir())
    assert names == [
        "journal-20260104T030405Z.sqlite",
        "journal-20260105T030405Z.sqlite",
        "journal-of-anna.sqlite",
    ]
    with closing(sqlite3.connect(folder / names[0])) as copy:
        assert copy.execute("PRAGMA quick_check").fetchone() == ("ok",)
    clock.time = BEGIN - 1000 * DAY
    assert series.due_in() == DAY, "a copy from the future puts off the next one for ever"


def test_what_a_killed_process_left_is_removed(journal: Path, folder: Path) -> None:
    """It would fill the volume, one unfinished copy after another."""
    left = folder / "journal-20250101T000000Z.sqlite.partial"
    left.mkdir()
    (left / "journal-20250101T000000Z.sqlite").write_bytes(b"x")
    file = BackupSeries(journal, folder, DAY, 2, Clock()).take()
    assert list(folder.iterdir()) == [file]


def test_encrypted_copies_go_on_a_plain_series(journal: Path, folder: Path) -> None:
    """The key is read for each, so that another one needs no restart of the pod."""
    clock, first, second = Clock(), key_pair(folder.parent), folder.parent / "second"
    second.mkdir()
    BackupSeries(journal, folder, DAY, 2, clock).take()
    public, private = first
    series = BackupSeries(journal, folder, DAY, 2, clock, public)
    assert series.due_in() == DAY
    clock.time += DAY
    copy = series.take()
    assert copy.name == "journal-20260103T030405Z.sqlite.cms"
    plain = folder.parent / "opened"
    plain.touch()
    unseal(copy, plain, private_key(private))
    with closing(sqlite3.connect(plain)) as opened:
        assert opened.execute("PRAGMA quick_check").fetchone() == ("ok",)
    clock.time += DAY
    public.write_bytes(key_pair(second)[0].read_bytes())
    newest = series.take()
    assert sorted(folder.iterdir()) == [copy, newest], "the plain one was the oldest"
    with pytest.raises(Permanent):
        unseal(newest, plain, private_key(private))


async def test_a_public_key_that_is_none_is_told_and_leaves_no_plain_copy(
    journal: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container that ends because of it would take the pod out of the Service."""
    public = folder.parent / "public.pem"
    public.write_text("-----BEGIN PRIVATE KEY-----")
    series = BackupSeries(journal, folder, DAY, 2, Clock(), public)
    assert await take(series, Screen(Format.TABLE, {}, quiet=False)) == AGAIN
    assert capsys.readouterr().err.startswith("CFG-003 ")
    assert not await asyncio.to_thread(os.listdir, folder)


def test_a_journal_that_is_not_there_is_told(folder: Path) -> None:
    """The service may not have made it yet."""
    series = BackupSeries(folder / "none.sqlite", folder, DAY, 2, Clock())
    with pytest.raises(Permanent, match="there is no journal") as caught:
        series.take()
    assert caught.value.code == "JRN-004"


class Told(BackupSeries):
    """A series that tells of its first copy."""

    def __init__(self, source: Path, folder: Path, taken: Callable[[], object]) -> None:
        super().__init__(source, folder, DAY, 2, Clock())
        self._tell = taken

    def take(self) -> Path:
        file = super().take()
        self._tell()
        return file


async def test_it_goes_on_until_sigterm(
    journal: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the first process of a container, which the system ends by a signal that is handled."""
    loop, taken = asyncio.get_running_loop(), asyncio.Event()
    series = Told(journal, folder, lambda: loop.call_soon_threadsafe(taken.set))
    running = loop.create_task(until_stopped(series, Screen(Format.TABLE, {}, quiet=False)))
    async with asyncio.timeout(PATIENCE):
        await taken.wait()
        signal.raise_signal(signal.SIGTERM)
        await running
    assert capsys.readouterr().out.startswith(f"{folder}/journal-20260102T030405Z.sqlite holds")


async def test_a_failure_is_told_and_tried_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup that ends with its first fault would not be noticed for long."""
    series = BackupSeries(folder / "none.sqlite", folder, DAY, 2, Clock())
    assert await take(series, Screen(Format.TABLE, {}, quiet=False)) == AGAIN
    assert capsys.readouterr().err.startswith("JRN-004 ")


def test_an_interval_of_nothing_is_refused(command: Command, folder: Path) -> None:
    """It would copy without end."""
    done = command("journal", "backups", str(folder), "--every", "0s")
    assert done.code == 2
    assert "longer than nothing" in done.err


def test_a_clustered_journal_has_no_file(command: Command, good: Path, folder: Path) -> None:
    """Its brokers keep it."""
    document = yaml.safe_load(good.read_text())
    document["journal"] = {"type": "kafka", "bootstrap_servers": ["127.0.0.1:9092"]}
    good.write_text(yaml.safe_dump(document))
    done = command("journal", "backups", str(folder), "--config", str(good))
    assert done.err.startswith("EVT-007 ")
