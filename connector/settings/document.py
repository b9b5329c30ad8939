"""Reading the YAML file, keeping the line of each value.

The scalars are those of YAML 1.2 (core schema): only ``true`` and ``false`` are truth values, so
that ``archived_mode: off`` stays the word that was written; there are no dates, no octal and no
base-60 numbers. A key that appears twice is a fault. An empty value means *not given*.
"""

import re
from pathlib import Path as File
from typing import Any, NamedTuple

import yaml

from connector.mounted import read_regular
from connector.settings.report import Path, Problem, dotted

LARGEST = 1024 * 1024
WHOLE_FILE, THIS_LINE = "the file", "this line"
"""Stand for the setting where the file as a whole, or one line as YAML, is at fault."""
NO_YAML = (
    "is not YAML (UTF-8)",
    "Look at indentation, quotes and colons of this line and the one before.",
)
FOUND_TAB = "found character '\\t' that cannot start any token"
"""What the library says of a tab in an indentation."""
TAGGED = (
    "has a tag that does not fit its value",
    "Leave the tag (what begins with !) out, and write the value alone.",
)
STRING = "tag:yaml.org,2002:str"
TAB = ("is indented with a tab, which YAML does not allow", "Indent with spaces.")


class Tree(NamedTuple):
    """Values as nested dicts and lists, and the place (``file:line``) of each path."""

    values: dict[str, Any]
    places: dict[Path, str]
    problems: list[Problem]


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - replaces the parent's table


for tag, pattern, first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)


def read_document(file: File) -> Tree:
    """The tree of a YAML file; what cannot be read is a problem in it, not an exception."""
    tree = Tree({}, {(): str(file)}, [])
    try:
        data, _ = read_regular(file, LARGEST)
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
        return tree._replace(problems=[_file_problem(file, "CFG-003", text)])
    except ValueError as error:
        return tree._replace(problems=[_file_problem(file, "CFG-001", f"is {error}")])
    try:
        return _compose(file, data, tree)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A ValueError is a value that contradicts its own tag (`!!int word`), or text that is not
        # UTF-8; its message repeats the value. Thousands of brackets are a RecursionError.
        return tree._replace(problems=[_syntax(file, error)])


def _compose(file: File, data: bytes, tree: Tree) -> Tree:
    loader = _Loader(data)
    try:
        node = loader.get_single_node()
        walk = _Walk(file, loader, tree)
        values = None if node is None else walk.value(node, ())
    finally:
        loader.dispose()
    if values is not None and not isinstance(values, dict):
        return tree._replace(problems=[_file_problem(file, "CFG-001", "must be a mapping")])
    return tree._replace(values=values or {})


class _Walk:
    """Turns nodes into values and notes where each stood. Aliases are refused: they can explode."""

    def __init__(self, file: File, loader: _Loader, tree: Tree) -> None:
        self._file, self._loader, self._tree = file, loader, tree
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._tree.places.setdefault(path, self._place(node))
        if id(node) in self._seen:
            self._problem(path, node, "is an alias", "Write the values out.")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        """A tag that was written must be the one that the text alone would have, or that of text.

        The library has more kinds, such as dates, and raises various errors for text that is none.
        """
        plain = (True, False)
        alone = self._loader.resolve(yaml.ScalarNode, node.value, plain)  # type: ignore[no-untyped-call]
        if node.tag in {alone, STRING}:
            return self._loader.construct_object(node)
        self._problem(path, node, *TAGGED)
        return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(path, key_node, "has a key that is no text", "Write a word as key.")
                continue
            key = str(key_node.value)
            if key in values:
                self._problem((*path, key), key_node, "appears twice", "Keep one of them.")
                continue
            self._tree.places[*path, key] = self._place(key_node)
            values[key] = self.value(value_node, (*path, key))
        return {key: value for key, value in values.items() if value is not None}

    def _place(self, node: yaml.Node) -> str:
        return f"{self._file}:{node.start_mark.line + 1}"

    def _problem(self, path: Path, node: yaml.Node, wrong: str, action: str) -> None:
        self._tree.problems.append(
            Problem(
                setting=dotted(path),
                place=self._place(node),
                code="CFG-001",
                wrong=wrong,
                action=action,
            )
        )


def _file_problem(file: File, code: str, wrong: str) -> Problem:
    return Problem(
        setting=WHOLE_FILE, place=str(file), code=code, wrong=wrong, action="Correct the file."
    )


def _syntax(file: File, error: Exception) -> Problem:
    """The library's message may quote the line, so only position and kind are reported."""
    mark = getattr(error, "problem_mark", None)
    place = f"{file}:{mark.line + 1}" if mark else str(file)
    setting = THIS_LINE if mark else WHOLE_FILE
    wrong, action = TAB if getattr(error, "problem", None) == FOUND_TAB else NO_YAML
    return Problem(setting=setting, place=place, code="CFG-001", wrong=wrong, action=action)
