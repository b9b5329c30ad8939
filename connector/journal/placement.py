"""Whether the files of an open journal still lie where they were opened.

A file that is removed or moved stays usable for the process that has it open, so SQLite goes on
writing what the next start cannot find. Its log counts as well, which holds what was not yet
copied into the file, and the lock, without which a second service would start beside this one.
"""

from collections.abc import Sequence
from pathlib import Path

from connector.core.errors import Transient
from connector.journal import faults

MISPLACED = "a file is missing or replaced"
"""In the detail of the fault, which distinguishes it from a full disk."""


class Placement:
    """The files of one journal, as they lay when this was made: after all of them were opened."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Remember what is there now; raises :class:`OSError` when one of them is not."""
        self._known = {path: _identity(path) for path in paths}

    def require(self) -> None:
        """See that each is there and the same.

        Raises:
            Transient: ``JRN-001`` when one is not; when it is back, all is well again.
        """
        for path, known in self._known.items():
            try:
                same = _identity(path) == known
            except OSError:
                same = False
            if not same:
                text = f"writing journal: {MISPLACED}: {path}"
                raise Transient("JRN-001", text, retry_after=faults.RETRY_AFTER)


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
