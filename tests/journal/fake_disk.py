"""A disk in memory whose power can be cut at any call that changes it.

What was written is in the file for who reads it, but on the platter only after a sync. When the
power is cut, the platter remains, and of what was not synced a random part, the last of it torn
inside a sector's worth of bytes. SQLite runs on it through apsw's VFS interface.
"""

import random
from pathlib import Path
from typing import Any

import apsw

from connector.journal.database import Parameters

SECTOR = 512

Change = tuple[int, bytes | None]
"""Offset and bytes of a write; None for a truncation to that size."""


class PowerCut(Exception):
    """The machine is off."""


class DiskFile:
    """One file: what programs see, what is on the platter, and the changes in between."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.platter = bytearray()
        self.pending: list[Change] = []

    def change(self, change: Change) -> None:
        apply(self.seen, change)
        self.pending.append(change)

    def sync(self) -> None:
        self.platter[:] = self.seen
        self.pending.clear()

    def after_power_cut(self, dice: random.Random) -> bytes:
        """The platter with a random part of what was on its way; the drive may swap writes."""
        image = bytearray(self.platter)
        for change in self.pending:
            if dice.random() < 0.5:
                apply(image, torn(change, dice))
        return bytes(image)


def apply(image: bytearray, change: Change) -> None:
    offset, data = change
    if data is None:
        del image[offset:]
        return
    image.extend(bytes(max(0, offset - len(image))))
    image[offset : offset + len(data)] = data


def torn(change: Change, dice: random.Random) -> Change:
    """Perhaps only the first sectors of a write."""
    offset, data = change
    if data is None or dice.random() < 0.7:
        return change
    return offset, data[: dice.randrange(0, len(data) + 1, SECTOR)]


class Disk:
    """All files, and how many changes it takes before the power is cut (None: never).

    The change that finds it ``off`` first raises; later ones go nowhere.
    """

    def __init__(self, changes_left: int | None = None) -> None:
        self.files: dict[str, DiskFile] = {}
        self.changes = 0
        self.off = False
        self._left = changes_left

    def powered(self) -> bool:
        """Asked before each change: whether it may still happen."""
        if self.off:
            return False
        if self._left is not None and self.changes >= self._left:
            self.off = True
            raise PowerCut
        self.changes += 1
        return True

    def leave(self, folder: Path, dice: random.Random) -> None:
        """Write what a power cut leaves into real files."""
        for name, file in self.files.items():
            (folder / Path(name).name).write_bytes(file.after_power_cut(dice))


class _OpenFile:
    """What SQLite calls for one file. One connection has it all, so locks are granted."""

    def __init__(self, disk: Disk, file: DiskFile) -> None:
        self._disk = disk
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._file.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._disk.powered():
            self._file.change((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self._disk.powered():
            self._file.change((size, None))

    def xSync(self, _flags: int) -> None:  # noqa: N802
        if self._disk.powered():
            self._file.sync()

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._file.seen)

    def xLock(self, _level: int) -> None:  # noqa: N802
        return

    xUnlock = xLock  # noqa: N815

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, _operation: int, _pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return 0

    def xClose(self) -> None:  # noqa: N802
        return


class DiskVFS(apsw.VFS):
    """Shows a :class:`Disk` to SQLite."""

    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        flags[1] = flags[0]
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        return _OpenFile(self._disk, self._disk.files.setdefault(path, DiskFile()))

    def xAccess(self, pathname: str, _flags: int) -> bool:  # noqa: N802
        return pathname in self._disk.files

    def xDelete(self, filename: str, _sync: bool) -> None:  # noqa: N802, FBT001
        if self._disk.powered():
            self._disk.files.pop(filename, None)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


class DiskConnection:
    """A connection on such a disk, in the shape that the journal writes through.

    It locks the file for itself, because this interface offers no shared memory.
    """

    def __init__(self, disk: Disk) -> None:
        self._vfs = DiskVFS(f"disk-{id(disk)}", disk)
        self._connection = apsw.Connection("/journal.db", vfs=f"disk-{id(disk)}")
        self.execute("PRAGMA locking_mode = exclusive").fetchall()

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    @property
    def total_changes(self) -> int:
        return self._connection.total_changes()

    def execute(self, sql: str, parameters: Parameters = (), /) -> apsw.Cursor:
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> apsw.Cursor:
        return self._connection.executemany(sql, parameters)

    def close(self) -> None:
        self._connection.close()
