"""What a service says at its start of how keys will be protected."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from connector.core.metrics import NoMetrics
from connector.core.reach import SandboxMode, SandboxPart
from connector.journal.settings import SqliteSettings
from connector.keys.handover import sandbox
from connector.keys.handover.leftovers import journal_mark
from connector.settings.model import Settings
from connector.settings.service import Handover
from connector.settings.service import Testing as ForTests
from connector.upstream import RequestLimit
from connector.wiring.clock import MachineClock
from connector.wiring.conditions import Board
from connector.wiring.handover import started

pytestmark = pytest.mark.slow


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The lock file of a journal."""
    path = tmp_path / "journal.sqlite.lock"
    path.touch()
    return path


def settings(lock: Path, mode: SandboxMode = SandboxMode.WHEN_AVAILABLE) -> Settings:
    """Those that concern hand-overs."""
    return Settings.model_construct(
        handover=Handover(accept_unlocked_memory=True, sandbox=mode),
        journal=SqliteSettings(path=lock.with_suffix("")),
        testing=ForTests(),
    )


def unlimited(_: str) -> RequestLimit:
    return RequestLimit(rate=lambda: 1000.0)


@pytest.mark.parametrize(
    ("mode", "missing"),
    [
        (SandboxMode.OFF, True),
        (SandboxMode.WHEN_AVAILABLE, len(sandbox.available()) < len(SandboxPart)),
    ],
)
async def test_a_sandbox_that_is_not_whole_is_a_condition(
    lock: Path, mode: SandboxMode, *, missing: bool
) -> None:
    """It stands in `status`, the log and the metrics, with what is missing."""
    board = Board(MachineClock(), NoMetrics())
    async with started(settings(lock, mode), unlimited, board):
        assert [one.code for one in board.standing()] == ["HND-010"] * missing
    assert all("system_calls" in one.text for one in board.standing())


async def waiting(*arguments: str) -> asyncio.subprocess.Process:
    """A stopped process that carries these arguments, as a hand-over does that was left."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        *arguments,
    )


async def test_a_service_that_starts_ends_what_an_earlier_one_left(lock: Path) -> None:
    """Known by this journal's own lock file; what only looks alike is left alone."""
    mark = journal_mark(lock)
    left = await waiting(mark, "3", "1", "closed")
    others = [
        await waiting("journal=1:1", "3", "1", "closed"),
        await waiting("3", "1", "closed", mark),
        await waiting(f"{mark}0", "3", "1", "closed"),
    ]
    board = Board(MachineClock(), NoMetrics())
    async with started(settings(lock), unlimited, board):
        assert await left.wait() == -signal.SIGKILL
        assert [one.returncode for one in others] == [None] * len(others)
    for one in others:
        one.kill()
        assert await one.wait() == -signal.SIGKILL
