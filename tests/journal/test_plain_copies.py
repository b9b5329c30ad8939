"""The plain copy of a backup that is encrypted: one for each, and none that stays."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.core.errors import Permanent
from connector.journal.backup import back_up
from connector.journal.plain_copies import PLAIN, plain_copy, remove_abandoned
from tests.journal.sqlite_world import opened

KEY = rsa.generate_private_key(65537, 2048).public_key()
KILLED = """
import os, signal, sys
from pathlib import Path
from connector.journal.plain_copies import plain_copy
with plain_copy(Path(sys.argv[1])) as copy:
    copy.write_text("plain")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left(journal: Path) -> list[Path]:
    return list(journal.parent.glob(f"*{PLAIN}*"))


def abandon(journal: Path) -> None:
    """Leave what a backup that is killed leaves."""
    before = len(left(journal))
    subprocess.run([sys.executable, "-c", KILLED, str(journal)], check=False)
    assert len(left(journal)) == before + 1


async def test_backups_at_the_same_time_have_copies_of_their_own(tmp_path: Path) -> None:
    """Neither a second backup nor a start of the service takes away the copy of the first."""
    async with opened(tmp_path / "journal.db") as world:
        with plain_copy(world.path) as copy:
            copy.write_text("of the first")
            back_up(world.path, tmp_path / "second.cms", KEY)
            await world.restart()
            assert copy.read_text() == "of the first"
            assert left(world.path) == [copy.parent]
            assert copy.parent.stat().st_mode & 0o777 == 0o700
        assert left(world.path) == []


async def test_the_copy_of_a_killed_backup_is_removed(tmp_path: Path) -> None:
    """By the next start, and by the next backup; a link of that name is left alone."""
    async with opened(tmp_path / "journal.db") as world:
        abandon(world.path)
        await world.restart()
        assert left(world.path) == []
        abandon(world.path)
        link = world.path.with_name(f"{world.path.name}{PLAIN}link")
        link.symlink_to(tmp_path)
        back_up(world.path, tmp_path / "backup.cms", KEY)
        assert left(world.path) == [link]


async def test_it_is_kept_where_the_journal_is_missing(tmp_path: Path) -> None:
    """It may be all that there is; no empty journal begins beside it."""
    journal = tmp_path / "journal.db"
    abandon(journal)
    with pytest.raises(Permanent, match="JRN-016"):
        async with opened(journal):
            pass
    assert len(left(journal)) == 1
    remove_abandoned(journal)
    assert left(journal) == []
