"""What skips in CI fails there, and what starts a whole program without saying so fails always."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.honest import is_whole

ROOT = Path(__file__).parents[1]
RULES = "from tests.conftest import *\n"
SKIPS = "import pytest\n\n@pytest.mark.skipif(True, reason='cannot')\ndef test_one(): pass\n"
SKIPS_INSIDE = "import pytest\n\ndef test_one(): pytest.skip('cannot')\n"
SKIPS_AS_A_WHOLE = "import pytest\n\npytest.skip('cannot', allow_module_level=True)\n"
STARTS = """
import subprocess, sys
import pytest

{mark}
def test_one():
    subprocess.run([sys.executable, "-m", "connector", "--version"], check=False)
"""


def run(folder: Path, text: str, ci: str) -> tuple[int, str]:
    """Run a file as a suite of its own, with the rules of ours: exit code and output."""
    (folder / "conftest.py").write_text(RULES)
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow\n    by_timing\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("text", [SKIPS, SKIPS_INSIDE, SKIPS_AS_A_WHOLE])
def test_a_skip_fails_in_ci_and_nowhere_else(tmp_path: Path, text: str) -> None:
    """By a mark, in the test, or of a whole file."""
    code, out = run(tmp_path, text, "true")
    assert code in {1, 2}, out
    assert "in CI every test must run" in out
    assert "cannot" in out
    assert run(tmp_path, text, "")[0] in {0, 5}


def test_a_test_that_starts_a_program_has_to_say_that_it_is_slow(tmp_path: Path) -> None:
    """Otherwise ``make check`` would not do what its help says."""
    code, out = run(tmp_path, STARTS.format(mark=""), "")
    assert code == 1, out
    assert "has to be marked slow" in out
    assert run(tmp_path, STARTS.format(mark="@pytest.mark.slow"), "")[0] == 0


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        (("python", "-m", "connector", "serve"), True),
        (("unshare", "-rm", "sh", "-c", "…", "x", "python", "-m", "connector"), True),
        (("/usr/bin/java", "-version"), True),
        (("/x/bin/pki-connector", "status"), True),
        (("python", "-m", "connector_testkit.conformance.target_child"), False),
        (("python", "-m", "pytest"), False),
        (("openssl", "version"), False),
    ],
)
def test_what_a_whole_program_is(command: tuple[str, ...], *, whole: bool) -> None:
    """Brokers, and the service however it is started."""
    assert is_whole(command) is whole
