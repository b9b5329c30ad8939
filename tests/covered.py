"""What the tests of a whole run did not reach: a missed floor, and the files with most of it.

pytest-cov measures in the processes that run tests. What runs only in a child (the service as a
whole, the sandboxed part of a hand-over) has tests that run its steps in the tests' own process.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

LITTLE = 90
"""Files of which the tests reach less than this percentage are named."""


def too_little(config: pytest.Config) -> bool:
    """Whether a floor was asked for and missed. Known as soon as the last test has ended."""
    plugin = config.pluginmanager.get_plugin("_cov")
    floor = config.getoption("cov_fail_under", None)
    total = getattr(plugin, "cov_total", None)
    return floor is not None and total is not None and total < floor


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the files; pytest-cov has said the total and the floor."""
    plugin = config.pluginmanager.get_plugin("_cov")
    if plugin is None or plugin.cov_total is None:
        return
    with TemporaryDirectory() as folder:
        report = Path(folder, "coverage.json")
        plugin.cov_controller.cov.json_report(outfile=str(report))
        files = json.loads(report.read_text("utf-8"))["files"]
    shares = sorted((one["summary"]["percent_covered"], name) for name, one in files.items())
    for share, name in shares:
        if share < LITTLE:
            terminalreporter.line(f"{share:5.1f} % {name}")
