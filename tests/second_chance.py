"""A test that fails is run once more, alone, with the same seed; if it passes, it is *flaky*.

A flaky test does not fail the run, but it is named in its last lines and written to ``flaky.txt``,
which belongs into the next commit. A test that is listed there gets no second chance: who finds
it failing has to mend it and to take it from the list. More than :data:`MOST` in one run fail it.
Only tests in :data:`BY_TIMING` get one: they run processes, sockets and brokers against the clock.
Every other test, and each one that is added elsewhere, gets none, and within a listed file none
whose name is :data:`PROTECTED`: property tests, crash points, pauses, the journal, the audit trail,
and everything that handles keys must never depend on chance.
"""

import re
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from tests import covered

MOST = 2
HERE = Path(__file__).parent
LISTED = HERE / "flaky.txt"
MARKER = "by_timing"
BY_TIMING = frozenset(
    {
        "tests/cli/test_process.py",
        "tests/cli/test_serving.py",
        "tests/docs/test_commands.py::test_the_stage_by_hand",
        "tests/e2e/test_bad_secret.py",
        "tests/e2e/test_barred.py",
        "tests/e2e/test_failing_uem.py",
        "tests/e2e/test_hazards.py",
        "tests/e2e/test_retention.py",
        "tests/e2e/test_scenarios.py",
        "tests/e2e/test_smoke.py",
        "tests/e2e/test_stopping.py",
        "tests/examples/test_acme.py",
        "tests/observe/test_live.py",
        "tests/test_distributions.py",
        "tests/bench/test_kafka_blocks.py",
        "tests/testkit/demo/test_endings.py",
        "tests/testkit/demo/test_ports.py",
        "tests/sources/test_limits.py::test_silent_connection_is_closed",
        "tests/sources/test_limits.py::test_body_that_dribbles_is_given_up",
        "tests/sources/test_strangers.py::test_known_callers_are_served_beside_thousands_of_strangers",
        "tests/kafka/test_broker.py",
        "tests/kafka/test_broker_outage.py",
        "tests/kafka/test_crowds.py",
        "tests/kafka/test_demo.py",
        "tests/kafka/test_limits.py::test_a_rate_is_that_of_all_pods_while_partitions_move",
        "tests/kafka/test_membership.py::test_two_members_share_and_a_leaver_gives_back",
        "tests/kafka/test_outage.py",
        "tests/kafka/test_serve.py::test_asked_to_end_a_pod_leaves_at_once",
        "tests/kafka/test_serve.py::test_every_pod_takes_webhooks_and_answers_for_everybody",
        "tests/kafka/test_serve.py::test_work_of_a_killed_pod_goes_on",
        "tests/upstream/test_connection.py::test_an_answer_that_stalls_concerns_only_who_asked",
        "tests/upstream/test_connection.py::test_no_answer_in_time_concerns_who_asked",
        "tests/upstream/test_connection.py::test_no_answer_to_many_is_a_fault_of_the_upstream",
        "tests/upstream/test_throttling.py",
    }
)
"""Files, and single tests of files that hold others as well."""
PROTECTED = re.compile(r"audit|trail|journal|key|crash|pause|copy|restore|conformance|leak")
GROUP = re.compile(r"@[a-z_]+$")
"""What xdist adds to the name of a test that has to run in one process with others."""


def mark(items: Iterable[pytest.Item], by_timing: Collection[str] = BY_TIMING) -> None:
    """Mark the tests that get a second chance."""
    for item in items:
        test = getattr(item, "obj", None)
        name = item.nodeid.partition("[")[0]
        named = name in by_timing or name.partition("::")[0] in by_timing
        never = getattr(test, "is_hypothesis_test", False) or PROTECTED.search(item.name)
        if named and not never:
            item.add_marker(MARKER)


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
            forgivable = known and MARKER in report.keywords and name not in listed(self._file)
            self._failed[name] = self._failed.get(name, True) and forgivable

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Run what failed once more, and say that the run passed when all of it passes."""
        if exitstatus != pytest.ExitCode.TESTS_FAILED or not self._failed:
            return
        if (
            covered.too_little(self._config)
            or len(self._failed) > MOST
            or not all(self._failed.values())
        ):
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
