"""A series of backups in one folder: when the next one is due, and which ones go.

The names tell when each was taken, so that a series goes on where it was after a restart.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector.core.errors import Permanent
from connector.journal.backup import back_up
from connector.journal.leftovers import PARTIAL
from connector.journal.sealing import public_key

FORM = "journal-%Y%m%dT%H%M%SZ.sqlite"
ENCRYPTED = ".cms"
"""What the name of an encrypted one adds: SQLite does not open it."""
UNFINISHED = f"journal-*Z.sqlite*{PARTIAL}"


class BackupSeries:
    """Copies of one embedded journal.

    Args:
        source: the journal's file.
        folder: only this series writes there.
        every: time between two copies.
        keep: how many of them stay.
        now: the wall clock.
        to_key: file of the public key to which the copies are encrypted; read for each of them.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        every: timedelta,
        keep: int,
        now: Callable[[], datetime],
        to_key: Path | None = None,
    ) -> None:
        self._source, self._folder = source, folder
        self._every, self._keep = every, keep
        self._now = now
        self._to_key = to_key

    def due_in(self) -> timedelta:
        """Time until the next copy; one dated in the future puts off none for longer than usual."""
        newest = max(self._copies(), default=None)
        if newest is None:
            return timedelta()
        return max(timedelta(), min(newest + self._every - self._now(), self._every))

    def take(self) -> Path:
        """Make the next copy, and remove those that are too many; the new one.

        Raises:
            Permanent: as :func:`connector.journal.backup.back_up`, ``CFG-003`` for the public key.
            Rejected: as :func:`connector.journal.backup.back_up`.
        """
        key = None if self._to_key is None else public_key(self._to_key)
        form = FORM if key is None else FORM + ENCRYPTED
        file = self._folder / self._now().astimezone(UTC).strftime(form)
        try:
            for unfinished in self._folder.glob(UNFINISHED):
                shutil.rmtree(unfinished)  # of a process that was killed
            back_up(self._source, file, key)
            for _, old in sorted(self._copies().items())[: -self._keep]:
                old.unlink()
        except OSError as error:
            raise Permanent("CFG-007", f"tidying {self._folder}: {error.strerror}") from error
        return file

    def _copies(self) -> dict[datetime, Path]:
        """The copies by the time at which they were taken; other files are left alone."""
        found = {}
        for one in self._folder.glob("*"):
            form = FORM + ENCRYPTED if one.suffix == ENCRYPTED else FORM
            with suppress(ValueError):
                found[datetime.strptime(one.name, form).replace(tzinfo=UTC)] = one
        return found
