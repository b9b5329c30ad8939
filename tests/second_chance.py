"""A test that fails is run once more, alone, with the same seed; if it passes, it is *flaky*.

A flaky test does not fail the run, but it is named in its last lines and written to ``flaky.txt``,
which belongs into the next commit. A test that is listed there gets no second chance: whoever finds
it failing has to mend it and to take it from the list. More than :data:`MOST` in one run fail it.
What must never depend on chance gets no second chance at all: property tests, crash points, the
journal, the audit trail, and everything that handles keys.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

MOST = 2
HERE = Path(__file__).parent
LISTED = HERE / "flaky.txt"
MARKER = "never_flaky"
FOLDERS = frozenset({"core", "journal", "pkcs12", "handover", "escrow"})
NAMES = re.compile(
    r"audit|crash|conformance|restore|doubt|guards|copy|leaks|power_cut|random_kills"
)
GROUP = re.compile(r"@[a-z_]+$")
"""What xdist adds to the name of a test that has to run in one process with others."""


def mark(items: Iterable[pytest.Item]) -> None:
    """Mark the tests that get no second chance."""
    for item in items:
        test = getattr(item, "obj", None)
        if getattr(test, "is_hypothesis_test", False) or never_flaky(item.path):
            item.add_marker(MARKER)


def never_flaky(path: Path) -> bool:
    """Whether tests of this file may never fail by chance."""
    folders = set(path.relative_to(HERE).parts) if path.is_relative_to(HERE) else set()
    return bool(FOLDERS & folders or NAMES.search(path.stem))


def listed(file: Path) -> list[str]:
    """The tests that were flaky before."""
    lines = file.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class SecondChance:
    """Collects failures of a whole run, and runs each once more when nothing else runs."""

    def __init__(self, config: pytest.Config, file: Path = LISTED) -> None:
        """``file``: where flaky tests are listed."""
        self._config = config
        self._file = file
        self._failed: dict[str, bool] = {}
        self._flaky: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a failure, and whether it may be one by chance. A dead worker's may not."""
        if report.failed:
            name = GROUP.sub("", report.nodeid)
            known = report.when in {"setup", "call", "teardown"}
            forgivable = known and MARKER not in report.keywords and name not in listed(self._file)
            self._failed[name] = self._failed.get(name, True) and forgivable

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Run what failed once more, and say that the run passed when all of it passes."""
        if exitstatus != pytest.ExitCode.TESTS_FAILED or not self._failed:
            return
        if len(self._failed) > MOST or not all(self._failed.values()):
            return
        again = [self._passes(name) for name in self._failed]  # each, so that each is reported
        if all(again):
            self._forgive(session)

    def _passes(self, name: str) -> bool:
        command = [sys.executable, "-m", "pytest", name, "--seed", str(self._config.option.seed)]
        return subprocess.run(command, cwd=self._config.rootpath, check=False).returncode == 0

    def _forgive(self, session: pytest.Session) -> None:
        self._flaky = sorted(self._failed)
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in self._flaky)
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for outcome in ("failed", "error"):
                reporter.stats.setdefault("flaky", []).extend(reporter.stats.pop(outcome, []))
        session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them in the last lines, and those of earlier runs that are still listed."""
        if known := listed(self._file):
            terminalreporter.section("flaky tests")
        for name in known:
            new = "new in this run" if name in self._flaky else "gets no second chance"
            terminalreporter.line(
                f"FLAKY {name} ({new}; mend it, then take it from {self._file.name})"
            )
