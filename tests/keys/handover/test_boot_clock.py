"""The clock of the machine's boot: its name, and the kernel's timer on it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connector import boot
from tests.patience import PATIENCE

BOOT_CLOCK = 7
"""The kernel's number of the clock that goes on while the machine is suspended."""


def in_a_process(*lines: str) -> "subprocess.CompletedProcess[str]":
    program = "\n".join(["import signal", "from connector import boot", *lines])
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_the_timer_of_a_process_counts_suspended_time() -> None:
    """A successor counts on the same clock: a timer that stood still would end it too late."""
    timers = Path("/proc/self/timers")
    if not timers.exists():
        pytest.skip("this kernel does not show the timers of a process")
    shown = in_a_process(
        "boot.alarm_at(boot.seconds() + 5)",
        "boot.alarm_at(boot.seconds() + 30)",
        f"print(open('{timers}').read())",
    )
    assert shown.stdout.count("ClockID:") == 1
    assert f"ClockID: {BOOT_CLOCK}\n" in shown.stdout
    assert f"signal: {int(signal.SIGALRM)}/" in shown.stdout


@pytest.mark.parametrize("moment", ["boot.seconds() + 0.05", "boot.seconds() - 5", "0.0"])
def test_the_alarm_comes_at_its_moment_and_at_once_when_that_has_passed(moment: str) -> None:
    """The signal does what the kernel does by default: the process ends."""
    ended = in_a_process(f"boot.alarm_at({moment})", "signal.pause()")
    assert ended.returncode == -signal.SIGALRM


def test_a_boot_has_one_name_in_all_processes() -> None:
    """It is what the waits of earlier owners are counted on by."""
    assert boot.name()
    assert in_a_process("print(boot.name())").stdout.strip() == boot.name()


def test_a_clock_that_is_shown_otherwise_is_another_clock(tmp_path: Path) -> None:
    """Where the kernel names no boot, there is no name; a moved clock is named apart."""
    (tmp_path / "boot").write_text("0f8fad5b\n")
    (tmp_path / "none").write_text("monotonic  0  0\nboottime   0  0\n")
    (tmp_path / "moved").write_text("monotonic  0  0\nboottime   86400  0\n")
    names = [boot.name(tmp_path / "boot", tmp_path / one) for one in ("none", "moved", "missing")]
    assert names == ["0f8fad5b", "0f8fad5b 86400", "0f8fad5b"]
    assert boot.name(tmp_path / "missing") == ""
