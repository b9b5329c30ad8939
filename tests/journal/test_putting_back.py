"""A backup takes the place of the journal: cut off at any step, one of both is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.journal.backup import back_up, put_back
from connector_testkit.conformance.journal_samples import event, read_ids, some_subjects
from tests.journal.sqlite_world import SqliteWorld, opened

ROOT = Path(__file__).parents[2]
FOLDERS = 40


async def add(world: SqliteWorld, name: str) -> None:
    (subject,) = some_subjects(world.journal, 1)
    await world.journal.append([event(subject, name)])


async def ids(path: Path) -> set[str]:
    """What a service would find there."""
    async with opened(path) as world:
        return set(await read_ids(world.journal, 0))


def snapshot(path: Path, folder: Path, name: str) -> Path:
    """The files of an open journal, as a snapshot of its volume has them."""
    for ending in ("", "-wal"):
        shutil.copyfile(path.with_name(path.name + ending), folder / (name + ending))
    return folder / name


@pytest.fixture
async def pair(tmp_path: Path) -> Path:
    """A folder with a journal that a killed service left, and an older copy of it."""
    folder = tmp_path / "pair"
    folder.mkdir()
    async with opened(tmp_path / "live" / "journal.db") as world:
        await add(world, "older")
        back_up(world.path, folder / "copy.db")
        await world.restart()  # so that only what comes now is in the log alone
        await add(world, "newer")
        snapshot(world.path, folder, "journal.db")
    return folder


@pytest.mark.slow
async def test_one_of_both_is_there_wherever_a_restore_is_cut_off(
    pair: Path, tmp_path: Path
) -> None:
    """Both are whole, and what was only in the log of the old one is not lost."""
    older = await ids(Path(shutil.copy(pair / "copy.db", tmp_path / "older.db")))
    folders = [shutil.copytree(pair, tmp_path / str(number)) for number in range(FOLDERS)]
    program = [sys.executable, "-m", "tests.journal.restorer", *map(str, folders)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: ASYNC221 - nothing else runs
    told = done.stdout.splitlines()
    found = [await ids(folder / "journal.db") for folder in folders]
    turned = next(number for number, one in enumerate(found) if one == older)
    assert {len(one) for one in found[:turned]} == {2}
    assert {len(one) for one in found[turned:]} == {1}
    assert told.index("done") >= turned > 5
    last = folders[-1]
    assert told[-1] == "done"
    assert sorted(one.name for one in last.iterdir()) == [
        "copy.db",
        "journal.db",
        "journal.db.before-1",
        "journal.db.lock",
    ]
    assert len(await ids(last / "journal.db.before-1")) == 2


def files(journal: Path) -> list[bytes]:
    """A database file and its log."""
    return [journal.with_name(journal.name + ending).read_bytes() for ending in ("", "-wal")]


async def test_a_damaged_journal_is_moved_away_as_it_is(pair: Path) -> None:
    """Its log is evidence, and must not be taken for that of the new file."""
    journal, aside = pair / "journal.db", pair / "journal.db.before-1"
    with journal.open("r+b") as image:
        image.truncate(journal.stat().st_size // 2)
    before = files(journal)
    put_back(pair / "copy.db", journal, lambda _: None, aside)
    assert files(aside) == before
    assert len(await ids(journal)) == 1


async def test_a_snapshot_of_a_volume_is_put_back_with_its_log(tmp_path: Path) -> None:
    """Also where nothing of the journal was ever written into its main file; it is only read."""
    snap = tmp_path / "snap"
    snap.mkdir(mode=0o700)
    async with opened(tmp_path / "live" / "journal.db") as world:
        await add(world, "one")
        await add(world, "two")
        copy = snapshot(world.path, snap, "journal.db")
    before = files(copy)
    put_back(copy, tmp_path / "journal.db", lambda _: None, tmp_path / "aside")
    assert len(await ids(tmp_path / "journal.db")) == 2
    assert files(copy) == before
    assert len(list(snap.iterdir())) == 2


async def test_a_folder_of_that_name_is_not_emptied(pair: Path) -> None:
    """Only files of an unfinished copy are removed; another one is a reason to write nothing."""
    other = pair / "backup.db.partial" / "letters.txt"
    other.parent.mkdir()
    other.write_text("kept")
    with pytest.raises(Permanent) as caught:
        back_up(pair / "copy.db", pair / "backup.db")
    assert (caught.value.code, other.read_text()) == ("CFG-007", "kept")
    other.unlink()
    (pair / "backup.db.partial" / "backup.db-wal").touch()
    back_up(pair / "copy.db", pair / "backup.db")
    assert not other.parent.exists()
