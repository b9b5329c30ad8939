"""What was acknowledged survives a power cut at any moment, inside commits and checkpoints too."""

import random
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connector.core.journal import Commit, PartitionRecord, StateRow
from connector.core.model import SubjectKey
from connector.core.states import State
from connector.journal import partitions, rounds, tables
from connector.journal.checkpoints import Checkpoints
from connector.journal.connection import Synchronous, set_up_writing
from connector.journal.events import EventRow, row_of
from connector.journal.sqlite import SqliteJournal
from connector.journal.transactions import Transactions
from connector_testkit.conformance.journal_samples import (
    chained,
    event,
    holder,
    next_round,
    read_ids,
    some_subjects,
    want,
)
from tests.journal.fake_disk import Disk, DiskConnection, PowerCut
from tests.journal.sqlite_world import PARTITIONS, SqliteWorld, opened

STEPS = 30
CHANGES_PER_CHECKPOINT = 60
Folders = pytest.TempPathFactory


@pytest.fixture
def folders(tmp_path_factory: Folders) -> Folders:
    return tmp_path_factory


@dataclass
class Told:
    """What was given to the journal in each transaction, and how much of it was acknowledged."""

    tried: list[list[str]] = field(default_factory=list)
    acknowledged: int = 0
    rounds: int = 0


async def live(disk: Disk, dice: random.Random, synchronous: Synchronous, told: Told) -> None:
    """Write until the power is cut, or all is done."""
    connection = DiskConnection(disk)
    set_up_writing(connection, synchronous)
    tables.prepare(connection, PARTITIONS)
    transactions = Transactions(connection)
    checkpoints = Checkpoints(connection, changes=CHANGES_PER_CHECKPOINT)
    (record,) = transactions.write([], [lambda c, _: partitions.take_over(c, 0)]).outcomes
    subjects = some_subjects(SqliteWorld(Path("unused")).journal, 8)
    for step in range(STEPS):
        appends = some_appends(subjects, step, dice)
        told.tried.append([row[1] for rows in appends for row in rows])
        commit = a_round(record, subjects)
        ready = await rounds.prepare(commit, PARTITIONS)
        written = transactions.write(appends, [ready.write])
        assert written.outcomes[-1] is None
        if disk.off:
            return
        record = commit.record
        told.acknowledged, told.rounds = step + 1, record.commits
        checkpoints.run_when_due(idle=False)
    disk.off = True


def some_appends(
    subjects: list[SubjectKey], step: int, dice: random.Random
) -> list[list[EventRow]]:
    """What a few callers append at once."""
    return [
        [row_of(event(subject, f"{step}-{n}"), PARTITIONS) for n in range(dice.randint(1, 5))]
        for subject in dice.sample(subjects, dice.randint(1, 4))
    ]


def a_round(record: PartitionRecord, subjects: list[SubjectKey]) -> Commit:
    """A round in which every subject takes the number of the round as its version."""
    number = record.commits + 1
    states: list[State] = [
        holder(key, version=number, wants=(want("x", number),)) for key in subjects
    ]
    return next_round(
        record,
        states=[StateRow(key=state.key, state=state) for state in states],
        audit=chained(record, 2, subjects[0]),
    )


async def count_changes() -> int:
    """How often a whole history changes the disk."""
    disk = Disk()
    await live(disk, random.Random(0), "FULL", Told())
    return disk.changes


async def cut(folder: Path, dice: random.Random, synchronous: Synchronous, within: int) -> int:
    """Cut the power somewhere, start again, check; how many acknowledged events are missing."""
    disk, told = Disk(dice.randrange(within)), Told()
    with suppress(PowerCut):
        await live(disk, dice, synchronous, told)
    disk.leave(folder, dice)
    async with opened(folder / "journal.db") as world:
        missing = await missing_events(world.journal, told)
        if synchronous == "FULL":
            await check_rounds(world.journal, told)
    with sqlite3.connect(folder / "journal.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    return missing


async def missing_events(journal: SqliteJournal, told: Told) -> int:
    """Every transaction is there as a whole or not at all, and none behind a missing one."""
    found = set(await read_ids(journal, 0))
    kept = [found.issuperset(ids) for ids in told.tried]
    assert all(there or found.isdisjoint(ids) for there, ids in zip(kept, told.tried, strict=True))
    assert kept == sorted(kept, reverse=True)
    return sum(
        len(ids)
        for there, ids in zip(kept[: told.acknowledged], told.tried, strict=False)
        if not there
    )


async def check_rounds(journal: SqliteJournal, told: Told) -> None:
    """Record, states, wants and audit are those of one round, the last acknowledged or the next."""
    record = (await journal.records())[0]
    assert told.rounds <= record.commits <= told.rounds + 1
    states = await journal.load(some_subjects(journal, 8))
    versions = {state.version for state in states.values()}
    assert versions == ({record.commits} if record.commits else set())
    assert {one.due for one in await journal.due(0, "x", 10**6, 100)} == versions
    assert len([one async for one in journal.audit(0)]) == record.audit_count


async def test_nothing_acknowledged_is_lost(folders: Folders, seed: int) -> None:
    """At forty random moments of a history, with synchronous=FULL."""
    within = await count_changes()
    for number in range(40):
        dice = random.Random(f"{seed}-{number}")
        assert await cut(folders.mktemp("cut"), dice, "FULL", within) == 0


async def test_the_test_sees_what_normal_would_lose(folders: Folders, seed: int) -> None:
    """The same cuts with synchronous=NORMAL lose acknowledged events; else the test is blind."""
    within = await count_changes()
    for number in range(200):
        dice = random.Random(f"{seed}-{number}")
        if await cut(folders.mktemp("cut"), dice, "NORMAL", within):
            return
    pytest.fail("no power cut lost anything")


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_at_any_moment(folders: Folders, seed: int) -> None:
    """At four hundred random moments."""
    within = await count_changes()
    for number in range(400):
        dice = random.Random(f"{seed}-{number}-slow")
        assert await cut(folders.mktemp("cut"), dice, "FULL", within) == 0
