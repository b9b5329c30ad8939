"""A failure by chance is distinguished from one that stays, and is written down."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.second_chance import BY_TIMING, PROTECTED

ROOT = Path(__file__).parents[1]
MOST_BY_TIMING = 120
CONFTEST = """
from pathlib import Path
from tests.second_chance import SecondChance, mark

BY_TIMING = {"test_one.py", "test_two.py", "test_0.py", "test_1.py::test_by_chance", "test_2.py"}

def pytest_addoption(parser):
    parser.addoption("--seed")

def pytest_configure(config):
    config.addinivalue_line("markers", "by_timing: a second chance")
    if "alone" not in Path("turn").read_text():
        config.pluginmanager.register(SecondChance(config, Path("flaky.txt")))
    Path("turn").write_text("alone")

def pytest_collection_modifyitems(items):
    mark(items, BY_TIMING)
"""
BY_CHANCE = """
from pathlib import Path
MARK = Path(__file__).with_suffix(".seen")

def test_by_chance():
    seen = MARK.exists()
    MARK.touch()
    assert seen
"""
ALWAYS = "def test_always(): assert False\n"
PROPERTY = """
from pathlib import Path
from hypothesis import given, strategies
MARK = Path(__file__).with_suffix(".seen")

@given(strategies.none())
def test_property(_):
    seen = MARK.exists()
    MARK.touch()
    assert seen
"""


def run(folder: Path, listed: str = "", **files: str) -> tuple[int, str, list[str]]:
    """Run files as a suite of their own: exit code, output, and what is listed afterwards."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "turn").write_text("first")
    (folder / "flaky.txt").write_text(listed)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--seed", "7"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, (folder / "flaky.txt").read_text().split()


def test_what_passes_alone_is_named_and_listed(tmp_path: Path) -> None:
    """The run passes; its last lines and the list name the test."""
    code, out, listed = run(tmp_path, test_one=BY_CHANCE)
    assert (code, listed) == (0, ["test_one.py::test_by_chance"])
    assert "FLAKY test_one.py::test_by_chance (new" in out
    assert "1 flaky" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("listed", "files"),
    [
        ("", {"test_one": BY_CHANCE, "test_two": ALWAYS}),
        ("", {f"test_{number}": BY_CHANCE for number in range(3)}),
        ("", {"test_new": BY_CHANCE}),
        ("", {"test_one": PROPERTY}),
        ("test_one.py::test_by_chance\n", {"test_one": BY_CHANCE}),
    ],
    ids=["one that stays", "more than two", "not by timing", "property", "listed before"],
)
def test_no_second_chance(tmp_path: Path, listed: str, files: dict[str, str]) -> None:
    """The run fails, and nothing is added to the list."""
    code, _, after = run(tmp_path, listed, **files)
    assert (code, after) == (1, listed.split())


def functions_of(name: str) -> list[str]:
    """The names of the tests that an entry of the list stands for."""
    file, _, test = name.partition("::")
    found = re.findall(
        r"^(?:async )?def (test_\w+)", (ROOT / file).read_text("utf-8"), re.MULTILINE
    )
    return [one for one in found if one == test or not test]


def test_few_are_forgiven_and_none_of_what_must_never_depend_on_chance() -> None:
    """Each entry of the list stands for tests that exist; the list cannot grow unseen."""
    forgiven = {name: functions_of(name) for name in BY_TIMING}
    assert [name for name, tests in forgiven.items() if not tests] == []
    assert sum(map(len, forgiven.values())) <= MOST_BY_TIMING
    assert [name for name in BY_TIMING if PROTECTED.search(name)] == []
