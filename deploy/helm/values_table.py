"""The table of values in the chart's README, from the comments of values.yaml.

A comment that begins with ``# --`` describes the key below it; its lines are one paragraph.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

CHART = Path(__file__).parent / "pki-connector"
BEGIN, END = "<!-- values: written by make docs -->", "<!-- end of values -->"
MARK = "# -- "
LONGEST = 80
"""Characters of a default that are shown in the table."""


class Value(NamedTuple):
    """A documented value: its path, its default as YAML has it, and what it is for."""

    path: str
    default: object
    meaning: str


def values(file: Path = CHART / "values.yaml") -> Iterator[Value]:
    """All values, in the order of the file; a mapping with a description of its own is one value.

    Raises:
        ValueError: for a value that nothing describes.
    """
    text = file.read_text("utf-8")
    lines = text.splitlines()
    if (root := yaml.compose(text, Loader=yaml.SafeLoader)) is not None:
        yield from _below(root, "", lines)


def _below(node: yaml.Node, path: str, lines: list[str]) -> Iterator[Value]:
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{path}: no comment with {MARK.strip()} above it")  # noqa: TRY004
    for key, value in node.value:
        place = f"{path}.{key.value}".lstrip(".")
        meaning = _comment(lines, key.start_mark.line)
        if meaning:
            yield Value(place, yaml.SafeLoader("").construct_object(value, deep=True), meaning)
        if not meaning or (isinstance(value, yaml.MappingNode) and _described(value, lines)):
            yield from _below(value, place, lines)


def _described(node: yaml.MappingNode, lines: list[str]) -> bool:
    return any(_comment(lines, key.start_mark.line) for key, _ in node.value)


def _comment(lines: list[str], line: int) -> str:
    """The paragraph directly above a line, empty when it describes no value."""
    found: list[str] = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        text = lines[line].strip()
        if text.startswith(MARK):
            return " ".join([text.removeprefix(MARK), *reversed(found)])
        found.append(text.removeprefix("#").strip())
    return ""


def readme(file: Path = CHART / "README.md") -> str:
    """The README with its table as it should be."""
    head, _, rest = file.read_text("utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [f"| `{one.path}` | {_shown(one.default)} | {one.meaning} |" for one in values()]
    table = "\n".join(["| value | default | meaning |", "| --- | --- | --- |", *rows])
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def _shown(default: object) -> str:
    if default is None or default in ("", [], {}):
        return "empty"
    text = default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)
    return f"`{text}`" if len(text) <= LONGEST else "see values.yaml"
