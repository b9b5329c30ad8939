"""Following mounted secrets and the settings' file while the service runs.

Kubernetes swaps a whole volume by renaming the link ``..data``; a watch on a file would be lost
with the old one, so the directories are watched. As a watch can fail silently (network file
systems, ``subPath`` mounts), everything is also read again at intervals.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from watchfiles import awatch

from connector.core.errors import Permanent
from connector.core.secret import Credential
from connector.mounted import LARGEST, as_secret, changes_of, read_mounted, read_regular
from connector.settings.secrecy import names_file

OnChange = Callable[[frozenset[Path]], Awaitable[bool]]
"""Takes changed files up; says whether all their users could."""


class Snapshot:
    """The contents of all followed files at one moment, never changed afterwards."""

    __slots__ = ("_contents", "digests")

    def __init__(self, contents: Mapping[Path, bytes]) -> None:
        self._contents = dict(contents)
        self.digests = {path: hashlib.sha256(data).digest() for path, data in contents.items()}

    def credential(self, path: Path) -> Credential:
        """One of the files as a secret; raises as :func:`connector.mounted.as_secret`."""
        return as_secret(path, self._contents[path])

    def content(self, path: Path) -> bytes:
        """One of the files as it is."""
        return self._contents[path]

    def changed(self, newer: "Snapshot") -> frozenset[Path]:
        """The files that are different in ``newer``."""
        return frozenset(
            path for path, digest in self.digests.items() if newer.digests.get(path) != digest
        )


def take_snapshot(paths: Iterable[Path]) -> Snapshot:
    """Read all files at once.

    Raises:
        Permanent: ``CFG-003`` as :func:`connector.mounted.read_mounted`.
    """
    contents = {}
    for path in paths:
        contents[path] = read_mounted(path)
    return Snapshot(contents)


class SecretFiles:
    """All mounted files that the settings name, and what is in them now.

    ``healthy`` is false while a file cannot be read, or was refused by a user of it; of
    that file the last good content stays in use, and it is tried again. ``reloads`` counts the
    changes taken over.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        on_change: OnChange,
        every: float = 300,
        again: float = 15,
        debounce: float = 0.5,
    ) -> None:
        """Read everything once.

        Args:
            paths: the files; see :func:`mounted_files`.
            on_change: awaited with the changed files, after the new snapshot is in place.
            every: seconds between two readings without any sign of a change.
            again: the same while something is not healthy.
            debounce: seconds in which changes are gathered.

        Raises:
            Permanent: ``CFG-003`` when one of them cannot be read.
        """
        self._paths = tuple(dict.fromkeys(paths))
        self._on_change = on_change
        self._every = every
        self._again = min(again, every)
        self._refused: frozenset[Path] = frozenset()
        self._debounce = debounce
        self.snapshot = take_snapshot(self._paths)
        self.healthy = True
        self.reloads = 0

    async def follow(self, stop: asyncio.Event) -> None:
        """Take changes over until ``stop`` is set."""
        clock = asyncio.get_running_loop().time
        read_at = clock()
        async for seen in signs(self._paths, stop, again=self._again, debounce=self._debounce):
            if seen or not self.healthy or clock() - read_at >= self._every:
                await self.read_again()
                read_at = clock()

    async def read_again(self) -> frozenset[Path]:
        """Read everything now; returns what changed. A faulty file keeps its content of before."""
        newer, whole = await asyncio.to_thread(self._read)
        changed = self.snapshot.changed(newer)
        self.snapshot = newer
        self.reloads += bool(changed)
        if due := changed | self._refused:
            self._refused = frozenset() if await self._on_change(due) else due
        self.healthy = whole and not self._refused
        return changed

    def _read(self) -> tuple[Snapshot, bool]:
        """Everything that can be read, and whether that is all."""
        contents, whole = {}, True
        for path in self._paths:
            try:
                contents[path] = read_mounted(path)
            except Permanent:
                contents[path], whole = self.snapshot.content(path), False
        return Snapshot(contents), whole


class SettingsFile:
    """The settings' file: read again when its content changes, or while it is refused.

    Args:
        path: the file.
        take_up: reads and takes it up; whether it was accepted.
        again: seconds between two looks without any sign of a change.
        debounce: seconds in which changes are gathered.
    """

    def __init__(
        self,
        path: Path,
        take_up: Callable[[], Awaitable[bool]],
        *,
        again: float = 15,
        debounce: float = 0.5,
    ) -> None:
        self._path = path
        self._take_up = take_up
        self._again = again
        self._debounce = debounce
        self._content: bytes | None = None  # it may have changed since it was read for the start
        self._accepted = True

    async def follow(self, stop: asyncio.Event) -> None:
        """Take changes up until ``stop`` is set."""
        async for _ in signs((self._path,), stop, again=self._again, debounce=self._debounce):
            content = await asyncio.to_thread(self._read)
            if content != self._content or not self._accepted:
                self._content = content
                self._accepted = await self._take_up()

    def _read(self) -> bytes | None:
        try:
            data, _ = read_regular(self._path, LARGEST)
        except (OSError, ValueError):
            return None
        return hashlib.sha256(data).digest()


async def signs(
    paths: Iterable[Path], stop: asyncio.Event, *, again: float, debounce: float
) -> AsyncIterator[bool]:
    """Until ``stop`` is set: true when one of the files may have changed, false after a while."""
    files = tuple(paths)
    if not files:
        await stop.wait()
        return
    async for seen in awatch(
        *{path.parent for path in files},
        watch_filter=changes_of(files),
        recursive=False,
        stop_event=stop,
        debounce=int(debounce * 1000),
        rust_timeout=int(again * 1000),
        yield_on_timeout=True,
    ):
        yield bool(seen)


def mounted_files(value: object, member: str = "") -> list[Path]:
    """The paths of all files that settings (as ``model_dump``) or a part of them name."""
    if isinstance(value, dict):
        return [path for key, inner in value.items() for path in mounted_files(inner, str(key))]
    if isinstance(value, list | tuple):
        return [path for inner in value for path in mounted_files(inner, member)]
    if value is not None and names_file(member) and isinstance(value, Path | str):
        return [Path(value)]
    return []
