"""What lost its parent is reaped by the first process, and nothing that is waited for is."""

import os
import signal
from collections.abc import Iterator

import pytest

from connector.wiring.orphans import Orphans


@pytest.fixture
def ended() -> Iterator[int]:
    """A child that has ended and that nothing has waited for, as an orphan is."""
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    yield pid
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)


def test_a_child_that_stays_ended_is_reaped(ended: int) -> None:
    """At the second look, not before: until then the event loop may reap it."""
    orphans = Orphans()
    orphans.look()
    assert os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    orphans.look()


def test_a_child_that_is_reaped_meanwhile_is_no_trouble(ended: int) -> None:
    """Between two looks, and after the last."""
    orphans = Orphans()
    orphans.look()
    os.waitpid(ended, 0)
    orphans.look()
    orphans.look()


def test_a_child_that_runs_is_left_alone() -> None:
    """Only what has ended is waited for."""
    pid = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
    orphans = Orphans()
    for _ in range(3):
        orphans.look()
    os.kill(pid, signal.SIGKILL)
    assert os.waitpid(pid, 0)[0] == pid
