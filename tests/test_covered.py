"""A whole run that reaches too little of the code fails, also after a second chance."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
from pathlib import Path
from tests import covered
from tests.second_chance import SecondChance, mark

def pytest_addoption(parser):
    parser.addoption("--seed")

def pytest_configure(config):
    config.addinivalue_line("markers", "by_timing: a second chance")
    if config.option.cov_fail_under is not None:
        config.pluginmanager.register(SecondChance(config, Path("flaky.txt")))
        config.pluginmanager.register(covered)

def pytest_collection_modifyitems(items):
    mark(items, {"test_it.py"})
"""
CODE = """
def half(number):
    if number > 2:
        return 1
    if number > 1:
        return 2
    return 3
"""
BY_CHANCE = """
from pathlib import Path
from product.code import half

def test_half():
    half(1)
    half(2)
    seen = Path("seen").exists()
    Path("seen").touch()
    assert seen
"""


def run(folder: Path, floor: int, *, steady: bool) -> tuple[int, str]:
    """A suite of one test that reaches 80 % of one file: exit code and output."""
    (folder / "product").mkdir()
    (folder / "product" / "code.py").write_text(CODE)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(BY_CHANCE)
    (folder / "flaky.txt").touch()
    (folder / ".coveragerc").write_text("[run]\nbranch = true\nsource = product\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\npythonpath = .\n")
    if steady:
        (folder / "seen").touch()
    command = [sys.executable, "-m", "pytest", "-q", "--seed", "7"]
    command += ["--cov", "--cov-report=", f"--cov-fail-under={floor}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_floor_that_is_met_passes_and_names_the_file(tmp_path: Path) -> None:
    code, out = run(tmp_path, 70, steady=True)
    assert code == pytest.ExitCode.OK
    assert " 80.0 % product/code.py" in out


@pytest.mark.parametrize("steady", [True, False])
def test_a_missed_floor_fails_even_if_a_flaky_test_is_forgiven(
    tmp_path: Path, *, steady: bool
) -> None:
    code, out = run(tmp_path, 95, steady=steady)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "Coverage failure: total of 80 is less than fail-under=95" in out
    assert "flaky" not in out.splitlines()[-1]


def test_a_flaky_test_is_forgiven_where_the_floor_is_met(tmp_path: Path) -> None:
    code, out = run(tmp_path, 70, steady=False)
    assert code == pytest.ExitCode.OK
    assert "1 flaky" in out.splitlines()[-1]
