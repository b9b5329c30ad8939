"""Following mounted secrets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watchfiles import Change

from connector.core.errors import Permanent
from connector.mounted import LARGEST_SECRET, changes_of, read_secret
from connector.settings.reload import SecretFiles, mounted_files
from tests.patience import PATIENCE


class Told:
    """Hears of changes, and takes them up unless it refuses."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[frozenset[Path]] = asyncio.Queue()
        self.takes = True

    async def __call__(self, changed: frozenset[Path]) -> bool:
        await self.changes.put(changed)
        return self.takes


class Mount:
    """A volume as Kubernetes mounts it: files are links through ``..data``, which is swapped."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "password"
        directory.mkdir()
        self.swap("one", 1)
        self.file.symlink_to("..data/password")

    def swap(self, text: str, version: int) -> None:
        inner = self.directory / f"..{version}"
        inner.mkdir()
        (inner / "password").write_text(f"{text}\n")
        link = self.directory / "..data_tmp"
        link.symlink_to(inner.name)
        link.rename(self.directory / "..data")


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path / "secret")


@asynccontextmanager
async def following(files: SecretFiles) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(files.follow(stop))
        try:
            yield
        finally:
            stop.set()


async def test_a_swapped_volume_is_taken_over(mount: Mount) -> None:
    """When the volume is swapped, the new secret is in place before the change is reported."""
    told = Told()
    files = SecretFiles([mount.file], on_change=told, every=0.2, debounce=0.05)
    assert files.snapshot.credential(mount.file).reveal() == "one"
    async with following(files), asyncio.timeout(PATIENCE):
        mount.swap("two", 2)
        assert await told.changes.get() == {mount.file}
    assert files.snapshot.credential(mount.file).reveal() == "two"
    assert files.reloads == 1


@pytest.mark.parametrize(
    ("name", "counts"),
    [("password", True), ("..data", True), ("..2026_11_30", True), ("service.log", False)],
)
def test_only_watched_files_call_for_reading(mount: Mount, name: str, counts: bool) -> None:  # noqa: FBT001
    """A log beside a secret would otherwise be written and read in turn, without end."""
    concerns = changes_of([mount.file])
    assert concerns(Change.modified, str(mount.directory / name)) == counts


async def test_the_old_secret_stays_while_the_new_one_is_faulty(mount: Mount) -> None:
    """An empty or missing file changes nothing, and is unhealthy until it is good again."""
    told = Told()
    files = SecretFiles([mount.file], on_change=told)
    mount.swap("", 2)
    assert await files.read_again() == frozenset()
    assert (files.healthy, files.reloads) == (False, 0)
    assert files.snapshot.credential(mount.file).reveal() == "one"
    mount.swap("three", 3)
    assert await files.read_again() == {mount.file}
    assert files.healthy


async def test_a_faulty_file_keeps_no_other_out(tmp_path: Path) -> None:
    """The new password of one is taken over though the file of another is gone."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    for file in (good, bad):
        file.write_text("one\n")
    told = Told()
    files = SecretFiles([bad, good], on_change=told)
    bad.unlink()
    good.write_text("two\n")
    assert await files.read_again() == {good}
    assert not files.healthy
    assert files.snapshot.credential(good).reveal() == "two"
    assert files.snapshot.credential(bad).reveal() == "one"


async def test_what_was_refused_is_told_again_without_another_change(mount: Mount) -> None:
    """Until its users have taken it up."""
    told = Told()
    told.takes = False
    files = SecretFiles([mount.file], on_change=told, again=0.1, debounce=0.05)
    mount.swap("two", 2)
    async with following(files), asyncio.timeout(PATIENCE):
        await files.read_again()
        assert not files.healthy
        for _ in range(3):
            assert await told.changes.get() == {mount.file}
        told.takes = True
        await told.changes.get()
    assert files.reloads == 1
    assert files.healthy


async def test_without_files_there_is_nothing_to_follow() -> None:
    """Following nothing ends when it is stopped."""
    told = Told()
    async with following(SecretFiles([], on_change=told)):
        assert told.changes.empty()


def test_the_files_of_settings_are_found() -> None:
    """Every path under a name that ends in ``_file`` or ``_files``, at any depth."""
    values = {
        "a": {"key_file": "/k", "path": "/p", "ca_file": None},
        "b": [{"password_file": Path("/q")}],
        "secret_files": ["/x", "/y"],
    }
    assert mounted_files(values) == [Path("/k"), Path("/q"), Path("/x"), Path("/y")]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (LARGEST_SECRET + 1), None])
def test_a_faulty_secret_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, too large or not text: a code, the path, and no content."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Permanent) as refused:
        read_secret(file)
    assert refused.value.code == "CFG-003"


async def test_what_is_no_secret_after_a_change_is_refused_not_raised_as_it_is(
    tmp_path: Path,
) -> None:
    """A file that turned to garbage is a fault of the settings to each reader of its secret."""
    file = tmp_path / "secret"
    file.write_text("good\n")
    files = SecretFiles([file], on_change=Told())
    file.write_bytes(b"\xff\xfe")
    await files.read_again()
    with pytest.raises(Permanent, match="CFG-003"):
        files.snapshot.credential(file)


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    """Inner spaces stay, the line end goes."""
    file = tmp_path / "secret"
    file.write_text(" two words \r\n")
    assert read_secret(file).reveal() == " two words "
