"""What is made from the program is up to date, and says what it should."""

import re
from pathlib import Path

import pytest

from connector.catalogue import catalogue
from connector.cli.docs import AREAS, errors_page, states_page
from docs.generate import PAGES, ROOT, SCHEMAS, Write

EVERYTHING = {**PAGES, **SCHEMAS}


@pytest.mark.parametrize(("name", "write"), EVERYTHING.items(), ids=list(EVERYTHING))
def test_a_made_file_is_up_to_date(name: str, write: Write) -> None:
    """A file that differs from its source needs `make docs` or `make schemas`."""
    assert Path(ROOT / name).read_text("utf-8") == write()


def test_every_code_is_on_the_page() -> None:
    """The page has one row per code, below the title of its area."""
    page = errors_page()
    assert re.findall(r"^\| `([A-Z0-9]+-\d{3})`", page, re.MULTILINE) == list(catalogue())
    assert {code.partition("-")[0] for code in catalogue()} <= set(AREAS)


def test_every_phase_is_in_the_picture() -> None:
    """Picture and table are made from the same table as the program's check."""
    page = states_page()
    assert "    awaiting_purge --> completed" in page
    assert "| awaiting_purge | completed | the copy is gone, with evidence |" in page
    assert "    failed --> [*]" in page
