"""Keys of the audit trail: a wrong one is refused, a new one and damage are accepted by people."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.core.audit import key_name
from connector.core.errors import Permanent
from connector.core.secret import Credential
from connector.wiring.audit_key import require_key
from tests.cli.calls import Command, Result
from tests.operators.world import PARTITIONS, AdminWorld, holder

OLD, NEW, WRONG = (letter * 40 for letter in "onw")


class Trail:
    """A journal at rest, whose records some keys made, and the command line beside it."""

    def __init__(self, command: Command, settings: Path, folder: Path) -> None:
        self._command = command
        self._settings = settings
        self._folder = folder
        self._number = 10
        document: dict[str, Any] = yaml.safe_load(settings.read_text())
        world = AdminWorld(folder)
        document["journal"] = {"path": str(world.path), "partitions": PARTITIONS}
        self._document = document

    def mount(self, key: str, *old: str) -> None:
        """Put a key, and those before it, where the settings look for them."""
        (self._folder / "audit.key").write_text(key)
        files = [self.file(one) for one in old]
        self._document["audit"] = {"key_file": "audit.key", "old_key_files": files}
        self._settings.write_text(yaml.safe_dump(self._document))

    def file(self, key: str) -> str:
        """A file with a key."""
        file = self._folder / f"{key[0]}.key"
        file.write_text(key)
        return str(file)

    async def written(self, key: str, number: int = 12, *, named: bool = True) -> None:
        """Records of a service that has this key; without its name, as older versions wrote."""
        world = AdminWorld(self._folder)
        world.key = Credential(key)
        world.key_named = named
        await world.open()
        await world.put(*(holder(self._number + one) for one in range(number)))
        self._number += number
        await world.journal.close()

    async def change(self, statement: str) -> None:
        """A statement of a user who may write the file."""
        world = AdminWorld(self._folder)
        await world.journal.open()
        await world.journal._opened().writer.run(
            lambda connection, _: connection.execute(statement)
        )
        await world.journal.close()

    async def refused(self, key: str) -> bool:
        """Whether a service with this key would not start."""
        world = AdminWorld(self._folder)
        await world.journal.open()
        try:
            await require_key(world.journal, Credential(key))
        except Permanent as error:
            return error.code == "AUD-004"
        finally:
            await world.journal.close()
        return False

    async def __call__(self, *arguments: str) -> Result:
        config = ("--config", str(self._settings))
        return await asyncio.to_thread(self._command, "audit", *arguments, *config)

    async def verified(self) -> Result:
        """The check of the journal by itself."""
        return await self("verify", "--offline")


@pytest.fixture
def trail(command: Command, good: Path, tmp_path: Path) -> Trail:
    return Trail(command, good, tmp_path)


@pytest.mark.parametrize("named", [True, False], ids=["named", "of an older version"])
async def test_a_wrong_key_is_refused_at_start(trail: Trail, named: bool) -> None:  # noqa: FBT001
    """Before a record is written under it; an empty journal takes any key."""
    assert not await trail.refused(WRONG)
    await trail.written(OLD, named=named)
    assert await trail.refused(WRONG)
    assert not await trail.refused(OLD)


async def test_a_trail_goes_on_under_a_new_key(trail: Trail) -> None:
    """Whole with both keys; without the old one its records are said to be unchecked."""
    await trail.written(OLD)
    trail.mount(NEW)
    changed = await trail("rekey", "--old-key-file", trail.file(OLD), "--reason", "yearly")
    assert changed.code == 0, changed.err
    assert await trail.refused(OLD)
    await trail.written(NEW)
    seen = await trail.verified()
    assert (seen.code, "made with another key" in seen.err) == (0, True)
    trail.mount(NEW, OLD)
    whole = await trail.verified()
    assert (whole.code, whole.err) == (0, "")


async def test_a_change_of_keys_may_be_repeated(trail: Trail) -> None:
    """After an interruption the chains that have the new key are left alone."""
    await trail.written(OLD)
    trail.mount(NEW, OLD)
    again = ("rekey", "--old-key-file", trail.file(OLD), "--reason", "yearly", "-o", "json")
    first, second = await trail(*again), await trail(*again)
    assert len(json.loads(first.out)["partitions"]) == PARTITIONS
    assert json.loads(second.out)["partitions"] == []
    assert (await trail.verified()).code == 0


async def test_keys_may_change_again_and_again(trail: Trail) -> None:
    """Each change names the one before; with all keys everything is checked."""
    await trail.written(OLD)
    trail.mount(NEW)
    await trail("rekey", "--old-key-file", trail.file(OLD), "--reason", "first")
    await trail.written(NEW)
    trail.mount(WRONG, OLD)
    await trail("rekey", "--old-key-file", trail.file(NEW), "--reason", "second")
    await trail.written(WRONG)
    trail.mount(WRONG, OLD, NEW)
    whole = await trail.verified()
    assert (whole.code, whole.err) == (0, "")
    trail.mount(WRONG)
    assert (await trail.verified()).code == 0


async def test_a_broken_trail_is_not_hidden_by_a_new_key(trail: Trail) -> None:
    """A change of keys checks what the old one made."""
    await trail.written(OLD)
    await trail.change("DELETE FROM audit WHERE sequence = 2")
    trail.mount(NEW)
    refused = await trail("rekey", "--old-key-file", trail.file(OLD), "--reason", "yearly")
    assert (refused.code, refused.err[:7]) == (1, "AUD-001")
    assert not await trail.refused(OLD)


async def test_a_lost_key_is_no_end(trail: Trail) -> None:
    """A person may go on without it; the record says that nothing was checked."""
    await trail.written(OLD)
    trail.mount(NEW)
    assert (await trail("rekey", "--key-lost", "--reason", "node burnt")).code == 0
    assert not await trail.refused(NEW)
    seen = await trail.verified()
    assert (seen.code, "made with another key" in seen.err) == (0, True)


DAMAGES = {
    "missing": "DELETE FROM audit WHERE sequence = 3",
    "cut off": "DELETE FROM audit WHERE sequence > 4",
    "changed": "UPDATE audit SET record = replace(CAST(record AS TEXT), 'test.put', 'x')"
    " WHERE sequence = 2",
    "unreadable": "UPDATE audit SET record = x'00' WHERE sequence = 1",
    "last unreadable": "UPDATE audit SET record = x'00'"
    " WHERE sequence = (SELECT max(sequence) FROM audit WHERE partition = 0)",
}


GARBLED = "UPDATE audit SET record = x'00' WHERE sequence = 3"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_person_accepts_damage(trail: Trail, damage: str) -> None:
    """It stays visible with who and why; what is damaged later is found as ever."""
    await trail.written(OLD)
    await trail.change(damage)
    trail.mount(OLD)
    assert (await trail.verified()).code == 8
    dry = await trail("accept", "--dry-run")
    assert (dry.code, (await trail.verified()).code) == (0, 8)
    assert (await trail("accept", "--reason", "ticket 4711", "--as", "anna")).code == 0
    seen = await trail.verified()
    assert (seen.code, "ticket 4711" in seen.err, "as anna" in seen.err) == (0, True, True)
    await trail.written(OLD)
    assert (await trail.verified()).code == 0
    await trail.change("UPDATE audit SET record = x'00' WHERE sequence = 4")
    assert (await trail.verified()).code == 8


TAMPERING = {
    "delete": "DELETE FROM audit WHERE ",
    "garble": "UPDATE audit SET record = x'0102' WHERE ",
    "change": "UPDATE audit SET record = replace(CAST(record AS TEXT), 'test.put', 'x') WHERE ",
}


@pytest.mark.parametrize("damage", ["missing", "unreadable"])
@pytest.mark.parametrize("where", ["sequence < 3", "sequence = 3", "sequence = 4"])
@pytest.mark.parametrize("how", TAMPERING)
async def test_what_was_accepted_covers_nothing_else(
    trail: Trail, tmp_path: Path, damage: str, where: str, how: str
) -> None:
    """Neither the records before the damage nor those in it may be changed afterwards."""
    await trail.written(OLD, 20)
    await trail.change(DAMAGES["missing"] if damage == "missing" else GARBLED)
    trail.mount(OLD)
    await trail("accept", "--reason", "ticket 4711")
    assert (await trail.verified()).code == 0
    before = await trail("export", "--offline", "-o", "json")
    await trail.change(TAMPERING[how] + where)
    after = await trail("export", "--offline", "-o", "json")
    gone = damage == "missing" and where == "sequence = 3"  # nothing is there to be tampered with
    assert (await trail.verified()).code == (0 if gone else 8)
    file = tmp_path / "trail.ndjson"
    await asyncio.to_thread(file.write_text, after.out)
    seen = await trail("verify", "--file", str(file), "--key-file", trail.file(OLD))
    assert seen.code == (0 if after.out == before.out else 8)


async def test_records_under_a_wrong_key_are_accepted_as_damage(trail: Trail) -> None:
    """What an older version wrote under a wrong key; then the right one goes on."""
    await trail.written(OLD, named=False)
    await trail.written(WRONG, named=False)
    assert await trail.refused(OLD)
    trail.mount(OLD)
    assert (await trail.verified()).code == 8
    assert (await trail("accept", "--reason", "wrong mount")).code == 0
    assert not await trail.refused(OLD)
    await trail.written(OLD)
    assert (await trail.verified()).code == 0


async def test_an_old_key_proves_nothing_later(trail: Trail) -> None:
    """Who has a replaced key cannot go on with the trail, nor take the change back."""
    await trail.written(OLD)
    trail.mount(NEW, OLD)
    await trail("rekey", "--old-key-file", trail.file(OLD), "--reason", "leaked")
    await trail.written(OLD)
    seen = await trail.verified()
    assert (seen.code, "the MAC does not match the record" in seen.err) == (8, True)


async def test_a_change_of_keys_that_was_taken_back_is_found(trail: Trail) -> None:
    """A trail that ends under a replaced key is not whole."""
    await trail.written(OLD)
    trail.mount(NEW, OLD)
    seen = await trail.verified()
    assert (seen.code, "other than the current one" in seen.err) == (8, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("rekey", "--reason", "yearly"),
        ("rekey", "--key-lost"),
        ("rekey", "--key-lost", "--old-key-file", __file__, "--reason", "yearly"),
        ("accept",),
        ("accept", "--reason", "x" * 513),
    ],
)
async def test_acts_on_keys_need_what_they_need(trail: Trail, arguments: tuple[str, ...]) -> None:
    """A reason, and the old key or the word that it is lost."""
    trail.mount(OLD)
    assert (await trail(*arguments)).code == 2


async def test_a_trail_with_changes_is_whole_in_a_file(trail: Trail, tmp_path: Path) -> None:
    """An export holds all that its check needs, beside the keys."""
    await trail.written(OLD)
    await trail.change("UPDATE audit SET record = x'00' WHERE sequence = 2")
    trail.mount(OLD)
    await trail("accept", "--reason", "ticket 4711")
    trail.mount(NEW, OLD)
    await trail("rekey", "--old-key-file", trail.file(OLD), "--reason", "yearly")
    await trail.written(NEW)
    export = await trail("export", "--offline", "-o", "json")
    file = tmp_path / "trail.ndjson"
    await asyncio.to_thread(file.write_text, export.out)
    keys = ("--key-file", trail.file(NEW), "--old-key-file", trail.file(OLD))
    seen = await trail("verify", "--file", str(file), *keys)
    assert (seen.code, "ticket 4711" in seen.err) == (0, True)


def test_a_name_tells_keys_apart_and_nothing_else() -> None:
    """It is no part of the key and no plain hash of it."""
    names = {key_name(Credential(key)) for key in (OLD, NEW, WRONG)}
    assert len(names) == 3
    assert not any(OLD.startswith(name) for name in names)
