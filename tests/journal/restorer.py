"""Restores a backup in many folders, and ends at another step in each; a program of its own.

``python -m tests.journal.restorer FOLDER...``: each folder holds ``journal.db``, with or without
its log, and ``copy.db``. The first process ends before the first step that changes a file, the
second before the second step, and so on. It prints for each whether it was cut off.
"""

import os
import sys
from pathlib import Path

from connector.journal.backup import put_back

STEPS = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "open", "sqlite3.connect"}
CUT_OFF = 9


def restore(folder: Path, steps: int) -> None:
    """Restore, ending the process before one step."""
    left = steps

    def count(event: str, _arguments: object) -> None:
        nonlocal left
        if event in STEPS:
            left -= 1
            if left < 0:
                os._exit(CUT_OFF)

    sys.addaudithook(count)
    put_back(
        folder / "copy.db", folder / "journal.db", lambda _: None, folder / "journal.db.before-1"
    )


def main() -> None:
    """One process a folder, because an audit hook stays for the life of a process."""
    for steps, name in enumerate(sys.argv[1:]):
        child = os.fork()
        if child == 0:
            restore(Path(name), steps)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        told = {0: "done", CUT_OFF: "cut off"}[os.waitstatus_to_exitcode(status)]
        sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
