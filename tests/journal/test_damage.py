"""Torn and flipped files: the journal starts clean or refuses loudly, and never makes things up."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.core.errors import ConnectorError
from connector_testkit.conformance.journal_samples import numbered, read_ids, some_subjects
from tests.journal.sqlite_world import SqliteWorld, opened

EVENTS = 60
Damage = Callable[[bytearray, random.Random], None]


def tear(image: bytearray, dice: random.Random) -> None:
    """Lose the end."""
    del image[dice.randrange(1, len(image)) :]


def flip(image: bytearray, dice: random.Random) -> None:
    """Change one bit."""
    image[dice.randrange(len(image))] ^= 1 << dice.randrange(8)


def blank(image: bytearray, dice: random.Random) -> None:
    """Lose a page."""
    start = dice.randrange(0, len(image), 4096)
    image[start : start + 4096] = bytes(len(image[start : start + 4096]))


async def copy_of_a_running_journal(tmp_path: Path) -> list[str]:
    """The files as ``kill -9`` leaves them; the ids of the events in them."""
    async with opened(tmp_path / "live" / "journal.db") as world:
        (subject,) = some_subjects(world.journal, 1)
        for one in numbered(subject, EVENTS):
            await world.journal.append([one])
        shutil.copytree(tmp_path / "live", tmp_path / "killed")
    return [one.id for one in numbered(subject, EVENTS)]


def damaged(tmp_path: Path, name: str, damage: Damage, dice: random.Random) -> Path:
    """A copy of the killed journal with one file damaged."""
    folder = tmp_path / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tmp_path / "killed", folder)
    image = bytearray((folder / name).read_bytes())
    damage(image, dice)
    (folder / name).write_bytes(image)
    return folder / "journal.db"


@pytest.mark.parametrize("damage", [tear, flip, blank])
async def test_a_damaged_log_gives_a_beginning_of_the_truth(
    tmp_path: Path, damage: Damage, seed: int
) -> None:
    """What is left is whole and in order; the journal goes on from there."""
    ids = await copy_of_a_running_journal(tmp_path)
    for number in range(8):
        dice = random.Random(f"{seed}-{number}")
        path = damaged(tmp_path, "journal.db-wal", damage, dice)
        async with opened(path) as world:
            found = await read_ids(world.journal, 0)
            assert found == ids[: len(found)]
            (subject,) = some_subjects(world.journal, 1)
            again = await world.journal.append(numbered(subject, EVENTS))
            assert again == [place >= len(found) for place in range(EVENTS)]


async def test_a_lost_shared_index_is_made_anew(tmp_path: Path) -> None:
    """It is only a map of the log; with garbage in it, or none, everything is there."""
    ids = await copy_of_a_running_journal(tmp_path)
    for damage in (tear, flip, blank):
        path = damaged(tmp_path, "journal.db-shm", damage, random.Random(1))
        async with opened(path) as world:
            assert await read_ids(world.journal, 0) == ids


async def test_a_damaged_page_is_a_lost_journal(tmp_path: Path) -> None:
    """It is found by who reads it, reported by code, and the owner is notified."""
    path = tmp_path / "journal.db"
    async with opened(path) as world:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append(numbered(subject, EVENTS))
    garble_tables(path)
    world = SqliteWorld(path)
    await world.journal.open()
    with pytest.raises(ConnectorError) as caught:
        await world.journal.read(0, 0, EVENTS)
    assert caught.value.code == "JRN-002"
    with pytest.raises(ConnectorError, match="JRN-002"):
        await world.journal.append(numbered(subject, 1))
    await world.journal.close()
    assert [fault.code for fault in world.lost] == ["JRN-002"]


def garble_tables(path: Path) -> None:
    """Overwrite the pages of the index by which events are read."""
    database = sqlite3.connect(path)
    named = "SELECT rootpage FROM sqlite_schema WHERE name = 'events_kept'"
    (page,) = database.execute(named).fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    image = bytearray(path.read_bytes())
    image[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(image)
