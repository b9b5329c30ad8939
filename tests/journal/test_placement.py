"""A journal whose files are removed, moved or replaced while it is open."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.core.errors import Transient
from connector.core.events import Event
from connector_testkit.conformance.journal_samples import event, read_ids, some_subjects
from tests.journal.sqlite_world import SqliteWorld, opened

FILES = ("", "-wal", "-shm", ".lock")


def _event(world: SqliteWorld, name: str) -> Event:
    (subject,) = some_subjects(world.journal, 1)
    return event(subject, name)


def _removed(file: Path) -> None:
    file.unlink()


def _moved(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))


def _replaced(file: Path) -> None:
    _moved(file)
    file.write_bytes(b"")


async def _refused(world: SqliteWorld) -> str:
    with pytest.raises(Transient) as refused:
        await world.journal.append([_event(world, "refused")])
    trouble = world.journal.trouble()
    assert trouble is not None
    assert (refused.value.code, refused.value.detail) == (trouble.code, trouble.detail)
    return trouble.detail


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("lose", [_removed, _moved, _replaced])
async def test_nothing_is_written_that_the_next_start_cannot_find(
    tmp_path: Path, lose: Callable[[Path], None], ending: str
) -> None:
    """Seen before any write is tried; each write is refused, with the file's name."""
    async with opened(tmp_path / "journal.db") as world:
        await world.journal.append([_event(world, "kept")])
        assert world.journal.trouble() is None
        file = tmp_path / f"journal.db{ending}"
        lose(file)
        assert world.journal.trouble() is not None
        assert (await _refused(world)).endswith(str(file))
        assert await read_ids(world.journal, 0) == [_event(world, "kept").id]
        assert world.lost == []


async def test_a_file_that_is_back_is_written_again(tmp_path: Path) -> None:
    """The same one, without a restart."""
    file = tmp_path / "journal.db"
    async with opened(file) as world:
        _moved(file)
        await _refused(world)
        (tmp_path / "elsewhere").rename(file)
        assert await world.journal.append([_event(world, "kept")]) == [True]
        assert world.journal.trouble() is None
