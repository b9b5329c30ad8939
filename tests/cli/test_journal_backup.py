"""Backup while the journal is served, restore, and how the service starts on it."""

import asyncio
import json
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.core.events import JournalRestored
from connector.core.journal import StatusFilter
from connector.core.secret import Credential
from connector.operators.auditing import check_journal
from tests.cli.calls import Command, Result
from tests.cli.key_files import key_pair
from tests.operators.world import PARTITIONS, AdminWorld, holder


class Place:
    """A journal, its settings, and the command line beside them."""

    def __init__(self, command: Command, good: Path, folder: Path) -> None:
        self._command = command
        self.folder = folder
        self._settings = good
        self.copy = folder / "backup.sqlite"
        document: dict[str, Any] = yaml.safe_load(good.read_text())
        self.world = self.again()
        document["journal"] = {"path": str(self.world.path), "partitions": PARTITIONS}
        good.write_text(yaml.safe_dump(document))
        self.mount(self.world.key)

    def mount(self, key: Credential) -> None:
        (self.folder / "secret").write_text(key.reveal())

    def again(self) -> AdminWorld:
        return AdminWorld(self.folder)

    async def __call__(self, *arguments: str) -> Result:
        config = ("--config", str(self._settings), "--as", "anna")
        return await asyncio.to_thread(self._command, "journal", *arguments, *config)


@pytest.fixture
async def place(command: Command, good: Path, tmp_path: Path) -> Place:
    made = await asyncio.to_thread(Place, command, good, tmp_path)
    await made.world.open()
    await made.world.put(*(holder(number) for number in range(10, 20)))
    return made


async def test_a_backup_is_taken_while_the_journal_is_written(place: Place) -> None:
    """One private file that holds one state of it, and is refused where something lies."""
    writing = asyncio.get_running_loop().create_task(
        place.world.put(*(holder(number) for number in range(20, 120)))
    )
    done = await place("backup", str(place.copy))
    await writing
    await place.world.journal.close()
    assert done.code == 0, done.err
    assert stat.S_IMODE(place.copy.stat().st_mode) == 0o600
    assert [one.name for one in place.folder.glob("backup*")] == ["backup.sqlite"]
    connection = sqlite3.connect(place.copy)
    ((states,), (audit,)) = (
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names here
        for table in ("states", "audit")
    )
    connection.close()
    assert states == audit >= 10
    again = await place("backup", str(place.copy))
    assert (again.code, again.err[:7]) == (2, "EVT-007")


async def test_a_restored_journal_waits_for_a_person(place: Place) -> None:
    """Paused, whole, with every holder to be looked at; what was there before is kept."""
    await place("backup", str(place.copy))
    await place.world.put(*(holder(number) for number in range(20, 30)))
    held = await place("restore", str(place.copy), "--reason", "disk")
    assert (held.code, held.err[:7]) == (1, "JRN-004")
    await place.world.journal.close()
    done = await place("restore", str(place.copy), "--reason", "disk", "-o", "json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["kept"].startswith(f"{place.world.path}.before-")
    world = place.again()
    await world.journal.open()
    try:
        for record in await world.journal.records():
            assert record.brakes.all_paused
            assert record.restored > 0
        assert len(await world.journal.status(StatusFilter())) == 10
        told = {e.subject: e.body for e in await world.events()}
        assert len(told) == 10
        assert all(isinstance(body, JournalRestored) for body in told.values())
        chains = await check_journal(world.journal, world.key, ())
        assert not any(chain.findings for chain in chains)
    finally:
        await world.journal.close()


def torn(file: Path) -> None:
    with file.open("r+b") as image:
        image.truncate(file.stat().st_size // 2)


def foreign(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA application_id = 1")
    connection.close()


def text(file: Path) -> None:
    file.write_text("no database")


@pytest.mark.parametrize("spoil", [torn, foreign, text])
async def test_a_spoilt_backup_is_refused(place: Place, spoil: Callable[[Path], None]) -> None:
    """Before anything is replaced."""
    await place("backup", str(place.copy))
    await place.world.journal.close()
    await asyncio.to_thread(spoil, place.copy)
    before = await asyncio.to_thread(place.world.path.read_bytes)
    refused = await place("restore", str(place.copy), "--reason", "disk")
    assert (refused.code, refused.err[:7]) == (1, "JRN-004")
    assert await asyncio.to_thread(place.world.path.read_bytes) == before
    assert not list(place.folder.glob("*.partial*"))


async def test_an_encrypted_backup_is_restored_with_its_key(place: Place) -> None:
    """Nothing of the journal can be read in it, and no plain copy is left."""
    public, private = await asyncio.to_thread(key_pair, place.folder)
    done = await place("backup", str(place.copy), "--to-key", str(public), "-o", "json")
    assert json.loads(done.out) == {"backup": str(place.copy), "encrypted": True}
    await place.world.journal.close()
    data = await asyncio.to_thread(place.copy.read_bytes)
    assert b"SQLite" not in data
    assert b"corp/user" not in data
    assert not list(place.folder.glob("*.partial*"))
    restore = ("restore", str(place.copy), "--reason", "disk")
    refused = await place(*restore)
    assert (refused.code, refused.err[:7]) == (1, "JRN-018")
    done = await place(*restore, "--key", str(private))
    assert done.code == 0, done.err
    world = place.again()
    await world.journal.open()
    try:
        assert len(await world.journal.status(StatusFilter())) == 10
    finally:
        await world.journal.close()


async def test_a_backup_under_another_key_is_refused(place: Place) -> None:
    """The old key is mounted for the restore, and changed afterwards on purpose."""
    await place("backup", str(place.copy))
    await place.world.journal.close()
    await asyncio.to_thread(place.mount, Credential("another" * 8))
    refused = await place("restore", str(place.copy), "--reason", "disk")
    assert (refused.code, refused.err[:7]) == (1, "AUD-004")
    assert place.world.path.exists()


async def test_a_restore_needs_a_reason(place: Place) -> None:
    """As every act that replaces something."""
    await place("backup", str(place.copy))
    await place.world.journal.close()
    assert (await place("restore", str(place.copy))).code == 2


@pytest.mark.parametrize("name", ["x" * 300, "missing/copy", "secret/copy"])
async def test_a_backup_that_cannot_be_written_is_an_error_with_a_code(
    place: Place, name: str
) -> None:
    """A name that is too long, a folder that is missing, a file where a folder should be."""
    done = await place("backup", str(place.folder / name), "-o", "json")
    assert (done.code, done.out, done.error) == (8, "", "CFG-007")
    assert not list(place.folder.glob("*partial"))


@pytest.mark.parametrize(
    "arguments", [("journal", "backup", "copy"), ("audit", "verify", "--offline")]
)
def test_a_path_that_cannot_be_one_is_an_error_with_a_code(
    command: Command, good: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Of every command that opens the journal's file itself."""
    document = yaml.safe_load(good.read_text())
    document["journal"] = {"path": str(tmp_path / ("x" * 300))}
    good.write_text(yaml.safe_dump(document))
    result = command(*arguments, "--config", str(good))
    assert (result.code, result.err.split()[0]) == (1, "JRN-004")
    assert "File name too long" in result.err
