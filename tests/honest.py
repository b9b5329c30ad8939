"""What a run promises is so: in CI no test is skipped, and only slow ones start whole programs."""

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

CANNOT_RUN: frozenset[str] = frozenset()
"""Tests that may be skipped in CI, by name; each with a comment that says why."""
PROGRAMS = frozenset({"java", "mvn", "pki-connector", "start_forkserver.py"})
MODULES = frozenset({"connector", "connector.keys.handover"})
"""Brokers, the service, and what hand-overs are forked from."""


def ran(item: pytest.Item, report: pytest.TestReport) -> None:
    """Make a skipped test a failed one in CI. An expected failure did run."""
    allowed = item.nodeid.partition("[")[0] in CANNOT_RUN
    if in_ci() and report.skipped and not hasattr(report, "wasxfail") and not allowed:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"in CI every test must run: {reason}"


def collected(report: pytest.CollectReport) -> None:
    """The same for a file that was skipped as a whole."""
    if in_ci() and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"in CI every test must run: {report.longrepr}"


def in_ci() -> bool:
    return os.environ.get("CI") == "true"


class WholePrograms:
    """Fails a test that starts a program of its own size and is not marked ``slow``."""

    def __init__(self) -> None:
        self._running: pytest.Item | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Know which test runs."""
        self._running = item
        try:
            return (yield)
        finally:
            self._running = None

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at each start of a program; for :func:`sys.addaudithook`."""
        if event != "subprocess.Popen" or self._running is None:
            return
        command = [os.fsdecode(one) for one in arguments[1] if not isinstance(one, int)]
        if is_whole(command) and self._running.get_closest_marker("slow") is None:
            pytest.fail(f"a test that starts {command[:3]} has to be marked slow")


def is_whole(command: Sequence[str]) -> bool:
    """Whether a command is one that ``make check`` promises to leave out."""
    modules = [after for flag, after in pairwise(command) if flag == "-m"]
    return not MODULES.isdisjoint(modules) or any(Path(one).name in PROGRAMS for one in command)
