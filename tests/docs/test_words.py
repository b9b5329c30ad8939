"""Texts for users are written in plain words; ``CONTRIBUTING.md`` says which are not."""

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from connector.cli.root import app
from connector.core.metric_definitions import CATALOGUE
from connector.settings.plugins import installed
from connector.settings.schema import configuration_schema
from tests.docs.pages import PAGES, ROOT

NOT_SO = re.compile(
    r"\b(no|any|some|every)body\b|\b(who|what)ever\b|\banew\b|\bby now\b|\bso many\b"
    r"|\blets? (go|in)\b|\b(is|are|was|were|been?) told\b|\b(he|his|him|himself)\b"
    r"|\bnonsense\b|\bthinkable\b|\bshall\b|\bat the latest\b|\bnevertheless\b",
    re.IGNORECASE,
)
"""Words without a referent, idioms, and a *he* for users and programs: name who or what it is."""

NAME = re.compile(r"``[^`]+``")
CODE = ("connector", "testkit", "tests", "bench", "docs", "examples", "release")
DECISIONS = ROOT / "docs" / "decisions"

Text = tuple[str, str]
"""Where a text stands, as file and line, and the text."""


def flat(text: str) -> str:
    """A text on one line, as it is compared."""
    return " ".join(text.split())


def strings() -> Iterator[Text]:
    """Every string of the programs, by the line that it begins on."""
    for path in (file for top in ("connector", "testkit") for file in (ROOT / top).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", flat(node.value)


def read() -> Iterator[Text]:
    """Docstrings and comments of all code, and what is read beside it."""
    for path in (file for top in CODE for file in (ROOT / top).rglob("*.py")):
        if path != Path(__file__):
            place = path.relative_to(ROOT)
            yield from ((f"{place}:{line}", text) for line, text in remarks(path))
    for path in (ROOT / "CONTRIBUTING.md", ROOT / "Makefile", *DECISIONS.glob("*.md")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def remarks(path: Path) -> Iterator[tuple[int, str]]:
    """Docstrings and comments of a module, by line."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT or token.string.startswith('"""'):
                yield token.start[0], flat(NAME.sub("", token.string))


def commands(command: Any, name: str = "pki-connector") -> Iterator[Text]:
    """The help of a command, of its options and of the commands below it."""
    yield name, command.help or ""
    for option in command.params:
        yield f"{name} {option.name}", getattr(option, "help", None) or ""
    for below, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {below}")


def described(schema: Any, path: str) -> Iterator[Text]:
    """The descriptions in a JSON Schema, and what to consider before deciding."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key in {"description", "x-consider"} and isinstance(value, str):
            yield path, value
        elif isinstance(value, dict | list):
            yield from described(value, f"{path}.{key}")


def written() -> Iterator[Text]:
    """The lines of files that are read as they are."""
    for path in (ROOT / "connector/errors.yaml", *PAGES):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def built_in() -> Iterator[Text]:
    """Texts that programs hold, by the name of what they describe."""
    yield from commands(typer.main.get_command(app))
    yield from ((metric.name, metric.help) for metric in CATALOGUE)
    yield from described(configuration_schema(installed()), "settings")


def wrong(texts: Iterable[Text]) -> str:
    """What is in the list of words not to write: a line for each, with its place."""
    return "\n".join(
        f"{place}: {found.group()!r} in {text[max(0, found.start() - 30) : found.end() + 30]!r}"
        for place, text in texts
        for found in NOT_SO.finditer(text)
    )


def test_pages_and_error_catalogue() -> None:
    """README, the pages of ``docs/`` and each error's title, cause and action."""
    assert wrong(written()) == ""


def test_help_and_descriptions() -> None:
    """Help of commands, options and metrics, and descriptions of settings."""
    texts = [(name, flat(text)) for name, text in built_in()]
    assert {name for name, _ in texts} > {"pki-connector status", CATALOGUE[0].name, "settings"}
    found = [(name, text) for name, text in texts if NOT_SO.search(text)]
    lines = {text: place for place, text in strings()} if found else {}
    assert wrong((f"{lines.get(text, 'schema')} {name}", text) for name, text in found) == ""


def test_docstrings_and_comments() -> None:
    """All code, and the pages for those who change it."""
    texts = list(read())
    assert {place.split("/")[0] for place, _ in texts} >= {*CODE, "CONTRIBUTING.md:1", "Makefile:1"}
    assert wrong(texts) == ""


@pytest.mark.parametrize("text", ["Whoever comes is let in.", "It is told so by now.", "his keys"])
def test_what_is_found(text: str) -> None:
    """A text with such a word is found with its place."""
    assert wrong([("page.md:7", text)]).startswith("page.md:7: ")
