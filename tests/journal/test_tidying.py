"""What is removed, and when."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.model import DAY
from connector.journal.sqlite import SqliteOptions
from connector_testkit.conformance.journal_samples import event, read_ids, some_subjects, written
from tests.journal.sqlite_world import SqliteWorld, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def consume_all(world: SqliteWorld) -> None:
    """Move the read position of partition 0 behind everything."""
    record = await world.journal.take_over(0)
    found = await world.journal.read(0, record.position, 10_000)
    await written(world.journal, record, position=found[-1].position)


def kept(path: Path) -> tuple[int, int]:
    """How many ids and how many payloads are in the file."""
    with sqlite3.connect(path) as database:
        row = database.execute("SELECT count(*), count(event) FROM events").fetchone()
    database.close()
    return int(row[0]), int(row[1])


async def test_payloads_go_first_and_ids_after_a_week(path: Path) -> None:
    """A repeat is absorbed for a week after its event was taken, its payload goes after a day."""
    async with opened(path) as world:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject, str(n), at=0) for n in range(1200)])
        await consume_all(world)
        for now, expected in (
            (DAY, (1200, 1200)),
            (DAY + 1, (1200, 0)),
            (7 * DAY, (1200, 0)),
            (7 * DAY + 1, (0, 0)),
        ):
            await world.journal.tidy(now)
            assert kept(path) == expected
        assert await world.journal.append([event(subject, "0")]) == [True]


async def test_what_waits_stays_however_old(path: Path) -> None:
    """Of old events only those behind the read position go; a younger one keeps its payload."""
    async with opened(path) as world:
        (subject,) = some_subjects(world.journal, 1)
        young, waiting = event(subject, "young", at=6 * DAY), event(subject, "waiting", at=0)
        await world.journal.append([event(subject, "old", at=0), young])
        await consume_all(world)
        await world.journal.append([waiting])
        await world.journal.tidy(7 * DAY)
        assert kept(path) == (3, 2)
        await world.journal.tidy(30 * DAY)
        assert kept(path) == (1, 1)
        assert await read_ids(world.journal, 0) == [waiting.id]


async def test_retention_is_a_setting(path: Path) -> None:
    """Longer for ids, none at all for payloads."""
    options = SqliteOptions(payload_retention=0)
    async with opened(path, options, ids_kept=timedelta(days=30)) as world:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject, at=0)])
        await consume_all(world)
        await world.journal.tidy(1)
        assert kept(path) == (1, 0)
        await world.journal.tidy(30 * DAY)
        assert kept(path) == (1, 0)
        await world.journal.tidy(30 * DAY + 1)
        assert kept(path) == (0, 0)
