"""A real process on a real disk: killed, out of space, or with a disk that fails."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import pytest

from connector.core.journal import Positioned
from tests.journal.appender import LOST
from tests.journal.sqlite_world import opened

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tests.journal.appender"]
KILLS = 25
ENOUGH = 200_000


@contextmanager
def appender(
    path: Path, word: str, number: int, wrapper: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The program, and its lines; killed at the end if it still runs."""
    command = [*wrapper, *PROGRAM, str(path), word, str(number)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout
        process.kill()


def acknowledged(lines: Sequence[str]) -> set[str]:
    """The ids of all acknowledged events; a torn last line does not count."""
    return {line.split()[1] for line in lines if line.startswith("ack ") and line.endswith("\n")}


async def missing(path: Path, ids: set[str]) -> set[str]:
    """Which of these a new start does not find."""
    async with opened(path) as world:
        found: set[str] = set()
        position = 0
        while page := await world.journal.read(0, position, 5000):
            found.update(one.event.id for one in page if isinstance(one, Positioned))
            position = page[-1].position
    return ids - found


async def test_nothing_acknowledged_is_lost_by_kill(tmp_path: Path, seed: int) -> None:
    """Killed with -9 at random moments and started again on the same files."""
    dice, told = random.Random(seed), set[str]()
    for kill in range(KILLS):
        told |= run_and_kill(tmp_path / "journal.db", f"{kill}", dice.randrange(1, 2000))
    assert len(told) > KILLS
    assert await missing(tmp_path / "journal.db", told) == set()


def run_and_kill(path: Path, word: str, after: int) -> set[str]:
    """Kill it after that number of lines; what it said until then."""
    with appender(path, word, ENOUGH) as (process, output):
        lines = list(islice(output, after))
        process.kill()
        lines += output.readlines()
    return acknowledged(lines)


async def test_a_full_disk_refuses_and_recovers(
    tmp_path: Path, needs: Callable[[str], str]
) -> None:
    """Writes that find no space (ENOSPC) become refusals; what was acknowledged is there."""
    wrapper = traced(needs("strace"), "pwrite64:error=ENOSPC:when=200..260")
    with appender(tmp_path / "journal.db", "full", 2000, wrapper) as (process, output):
        lines = output.readlines()
        assert process.wait() == 0
    assert "refused JRN-001\n" in lines
    assert lines[-1] == "done\n"
    assert len(acknowledged(lines)) == 2000
    assert await missing(tmp_path / "journal.db", acknowledged(lines)) == set()


async def test_a_failed_sync_ends_the_process(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """EIO from one sync: it ends by itself, and the next start finds all that was acknowledged."""
    wrapper = traced(needs("strace"), "fdatasync:error=EIO:when=30")
    with appender(tmp_path / "journal.db", "sync", ENOUGH, wrapper) as (process, output):
        lines = output.readlines()
        assert process.wait() == LOST
    assert lines[-1] == "lost\n"
    assert acknowledged(lines)
    assert await missing(tmp_path / "journal.db", acknowledged(lines)) == set()
    again = run_and_kill(tmp_path / "journal.db", "again", 500)
    assert await missing(tmp_path / "journal.db", again) == set()


def traced(strace: str, injection: str) -> list[str]:
    """Run a program so that some of its system calls fail."""
    call = injection.partition(":")[0]
    return [
        strace,
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        f"inject={injection}",
    ]
