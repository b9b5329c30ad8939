"""``journal copy`` on the command line, between embedded journals."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.core.journal import StatusFilter
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.operators.auditing import check_journal
from tests.cli.calls import Command, Result
from tests.operators.test_dead_letters import NONSENSE, READABLE
from tests.operators.world import PARTITIONS, AdminWorld, holder

NEW = 7


@pytest.fixture
async def world(tmp_path: Path) -> AdminWorld:
    """A journal at rest with states, a trail, a dead letter and an unread event in it."""
    made = AdminWorld(tmp_path)
    await made.open()
    await made.put(*(holder(number) for number in range(10, 30)))
    await made.bury(0, 3, NONSENSE)
    await made.journal.append([READABLE])
    await made.journal.close()
    return made


class Sides:
    """Two files of settings, and the command between them."""

    def __init__(self, command: Command, good: Path, world: AdminWorld) -> None:
        self._command = command
        self.folder = good.parent
        self.trail = self.folder / "trail.ndjson"
        (self.folder / "secret").write_text(world.key.reveal())
        self._document: dict[str, Any] = yaml.safe_load(good.read_text())
        self.source = self._settings("source", world.path, PARTITIONS)
        self.copy = self.folder / "copy.sqlite"
        self.target = self._settings("target", self.copy, NEW)

    def _settings(self, name: str, journal: Path, partitions: int) -> Path:
        document = self._document | {"journal": {"path": str(journal), "partitions": partitions}}
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(document))
        return file

    async def __call__(self, *more: str) -> Result:
        sides = ("--from", str(self.source), "--to", str(self.target), "--trail", str(self.trail))
        options = ("--reason", "growing", "--as", "anna", "-o", "json")
        return await asyncio.to_thread(self._command, "journal", "copy", *sides, *options, *more)

    def verified(self) -> int:
        files = ("--file", str(self.trail), "--key-file", str(self.folder / "secret"))
        return self._command("audit", "verify", *files).code


@pytest.fixture
def sides(command: Command, good: Path, world: AdminWorld) -> Sides:
    return Sides(command, good, world)


async def test_a_copy_is_proven(sides: Sides, world: AdminWorld) -> None:
    """Counts and digests of both sides; the old trail verifies in its file, the new one there."""
    result = await sides()
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert (shown["equal"], shown["audit_whole"], shown["standing"]) == (True, True, "empty")
    counts = {name: shown["source"][name]["count"] for name in ("states", "events", "letters")}
    assert counts == {"states": 20, "events": 1, "letters": 1}
    assert shown["target"] == shown["source"]
    assert await asyncio.to_thread(sides.verified) == 0
    copy = SqliteJournal(
        SqliteSettings(path=sides.copy, partitions=NEW),
        monotonic=lambda: 0.0,
        on_lost=world.lost.append,
    )
    await copy.open()
    assert len(await copy.status(StatusFilter())) == 20
    assert not any(chain.findings for chain in await check_journal(copy, world.key, ()))
    await copy.close()


async def test_a_second_copy_says_that_it_was_finished(sides: Sides) -> None:
    """And proves it again."""
    await sides()
    again = await sides("--output", "table")
    assert again.code == 0
    assert "finished before" in again.err


async def test_a_journal_that_is_served_is_not_copied(sides: Sides, world: AdminWorld) -> None:
    """Neither from nor to: the lock says so."""
    await world.journal.open()
    refused = await sides()
    assert (refused.code, refused.error) == (1, "JRN-004")
    await world.journal.close()
    assert not sides.copy.exists()


async def test_a_source_whose_trail_is_broken_is_not_copied(
    sides: Sides, world: AdminWorld
) -> None:
    """What happened to it must be cleared up first."""
    await world.journal.open()
    await world.journal._opened().writer.run(
        lambda connection, _: connection.execute("DELETE FROM audit WHERE sequence = 2")
    )
    await world.journal.close()
    refused = await sides()
    assert (refused.code, refused.error) == (1, "AUD-001")


async def test_a_file_with_another_trail_is_kept(sides: Sides) -> None:
    """It may be the only copy of something."""
    await asyncio.to_thread(sides.trail.write_text, "another\n")
    refused = await sides()
    assert (refused.code, refused.error) == (1, "AUD-003")
    assert await asyncio.to_thread(sides.trail.read_text) == "another\n"


async def test_a_copy_that_was_in_use_since_differs(sides: Sides, world: AdminWorld) -> None:
    """Exit code 8: it is no copy of that source any more."""
    await sides()
    copy = SqliteJournal(
        SqliteSettings(path=sides.copy, partitions=NEW),
        monotonic=lambda: 0.0,
        on_lost=world.lost.append,
    )
    await copy.open()
    await copy.append([READABLE.model_copy(update={"id": "b" * 40})])
    await copy.close()
    again = await sides()
    assert (again.code, json.loads(again.out)["equal"]) == (8, False)
    assert again.err.startswith("JRN-011")
