"""The list of regressions names tests that exist, each fault once."""

import importlib
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT

ROW = re.compile(r"^\| (?!what went wrong|---)(.+?) \| (.+) \|$", re.MULTILINE)
ROWS: list[tuple[str, str]] = ROW.findall((ROOT / "docs/regressions.md").read_text("utf-8"))


def _tests() -> Iterator[str]:
    """Each path and test; one that begins with `::` is in the file that was named before it."""
    path = ""
    for _, cell in ROWS:
        for name in re.findall(r"`(tests/[^`]+|::[^`]+)`", cell):
            file, _, test = name.partition("::")
            path = file or path
            yield f"{path}::{test}" if test else path


@pytest.mark.parametrize("name", sorted(set(_tests())))
def test_every_named_test_exists(name: str) -> None:
    """File, class and function are there; what a class inherits counts."""
    path, *members = name.partition("[")[0].split("::")
    assert (ROOT / path).is_file()
    found: object = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    for member in members:
        found = getattr(found, member)


def test_every_row_names_what_guards_it() -> None:
    """A row without a path could not be checked."""
    assert [fault for fault, cell in ROWS if "`tests/" not in cell] == []


def test_no_fault_is_listed_twice() -> None:
    """Each sentence is there once."""
    faults = [fault for fault, _ in ROWS]
    assert len(faults) == len(set(faults))
