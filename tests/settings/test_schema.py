"""JSON Schema and program take and refuse the same settings: examples and generated ones."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.settings.document import read_document
from connector.settings.model import settings_model
from connector.settings.plugins import installed
from connector.settings.schema import configuration_schema

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples" / "configuration"
MODEL = settings_model(installed())
SCHEMA = jsonschema.Draft202012Validator(json.loads(json.dumps(configuration_schema(installed()))))


def read(file: Path) -> dict[str, Any]:
    tree = read_document(file)
    assert tree.problems == []
    return tree.values


def taken(values: dict[str, Any]) -> bool:
    try:
        MODEL.model_validate(values)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("good/*.yaml")), ids=lambda file: file.stem)
def test_a_good_example_is_taken_by_both(file: Path) -> None:
    """What is shown as good is good."""
    values = read(file)
    SCHEMA.validate(values)
    assert taken(values)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("bad/*.yaml")), ids=lambda file: file.stem)
def test_a_bad_example_is_refused_by_both(file: Path) -> None:
    """What is shown as bad is refused, and for the reason that its first line gives."""
    values = read(file)
    assert not SCHEMA.is_valid(values)
    assert not taken(values)


GOOD = [read(file) for file in sorted(EXAMPLES.glob("good/*.yaml"))]
WRONG = st.sampled_from(
    [[], {}, ["x"], {"x": 1}, -1, "", "word", "no such word \u2603", "3 s", "P", 10**9, "x" * 700]
)
# What JSON Schema cannot say, or what pydantic makes of texts, is left as it is.
KEPT = {
    "address",
    "client_certificate_file",
    "client_key_file",
    "plain_from",
    "ids_kept",
    "tolerance",
    "hand_over_limit",
    "security",
}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        inner = [found for key, below in value.items() for found in paths(below, (*path, key))]
    elif isinstance(value, list):
        inner = [found for n, below in enumerate(value) for found in paths(below, (*path, n))]
    else:
        inner = []
    return [*inner, path] if path and KEPT.isdisjoint(path) else inner


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """A good example with one member taken out, replaced, or one too many."""
    values: dict[str, Any] = deepcopy(draw(st.sampled_from(GOOD)))
    *parents, last = draw(st.sampled_from(paths(values)))
    branch: Any = values
    for part in parents:
        branch = branch[part]
    how = draw(st.sampled_from(["out", "wrong", "more"]))
    if how == "out":
        del branch[last]
    elif how == "wrong":
        branch[last] = draw(WRONG)
    elif isinstance(branch, dict):
        branch["no_such_member"] = draw(WRONG)
    return values


@given(changed())
def test_changed_settings_are_judged_alike(values: dict[str, Any]) -> None:
    """With anything taken out, replaced or added: both take it, or both refuse it."""
    assert SCHEMA.is_valid(values) == taken(values)
