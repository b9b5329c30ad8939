"""A file beside the journal whose time says when the last backup of it was made.

Backups are made by another process than the one that publishes metrics, and to a volume that only
that process has.
"""

from contextlib import suppress
from pathlib import Path

MARK = ".backed-up"
"""What the name of the journal's file adds."""


def mark(path: Path) -> None:
    """Say that a backup was made now; the backup is good where that cannot be written, too."""
    with suppress(OSError):
        path.with_name(path.name + MARK).touch()


def marked(path: Path) -> float | None:
    """When the last one was made, in seconds since 1970; None: none is known."""
    try:
        return path.with_name(path.name + MARK).stat().st_mtime
    except OSError:
        return None
