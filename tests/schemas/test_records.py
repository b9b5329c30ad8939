"""JSON Schema and program take and refuse the same records: examples, and examples changed."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from connector.core.audit import AuditRecord
from connector.core.events import Event
from connector.core.states import State

SCHEMAS = Path(__file__).parents[2] / "schemas"
MODELS: dict[str, TypeAdapter[Any]] = {
    "event": TypeAdapter(Event),
    "state": TypeAdapter(State),
    "audit-record": TypeAdapter(AuditRecord),
}
WRONG = st.sampled_from(
    [None, True, -1, 1.5, 10**12, "", "word", "x" * 700, "ab" * 32, [], ["x"], {}, {"x": 1}]
)


class Example(NamedTuple):
    """One file: which record it shows, whether it is a good one, and what is in it."""

    kind: str
    good: bool
    name: str
    document: Any


def examples() -> Iterator[Example]:
    for kind in MODELS:
        for file in sorted((SCHEMAS / "examples" / kind).glob("*/*.json")):
            document = json.loads(file.read_text("utf-8"))
            yield Example(kind, file.parent.name == "good", file.stem, document)


EXAMPLES = list(examples())
GOOD = [example for example in EXAMPLES if example.good]


@cache
def schema(kind: str) -> jsonschema.Draft202012Validator:
    text = (SCHEMAS / f"{kind}.schema.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def taken(kind: str, document: Any) -> bool:
    """By the program, in the types of JSON: a number written as text is no number."""
    try:
        MODELS[kind].validate_json(json.dumps(document), strict=True)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.kind}-{one.name}")
def test_both_agree_with_the_example(example: Example) -> None:
    """What is shown as good is taken, what is shown as bad is refused."""
    assert schema(example.kind).is_valid(example.document) is example.good
    assert taken(example.kind, example.document) is example.good


@pytest.mark.parametrize("kind", MODELS)
def test_there_are_good_and_bad_examples(kind: str) -> None:
    """And the schema itself is one of its dialect."""
    assert {example.good for example in EXAMPLES if example.kind == kind} == {True, False}
    jsonschema.Draft202012Validator.check_schema(schema(kind).schema)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        inner = [found for key, below in value.items() for found in paths(below, (*path, key))]
    elif isinstance(value, list):
        inner = [found for n, below in enumerate(value) for found in paths(below, (*path, n))]
    else:
        inner = []
    return [*inner, path] if path else inner


def changed(document: Any, path: tuple[str | int, ...], how: str, value: Any) -> Any:
    """A copy with one member replaced, removed, or given a neighbour."""
    copy = deepcopy(document)
    place = copy
    for key in path[:-1]:
        place = place[key]
    if how == "replace":
        place[path[-1]] = value
    elif how == "remove":
        del place[path[-1]]
    elif isinstance(place, dict):
        place["neighbour"] = value
    return copy


@given(
    example=st.sampled_from(GOOD),
    data=st.data(),
    how=st.sampled_from(["replace", "remove", "add"]),
    value=WRONG,
)
def test_both_agree_about_a_changed_example(
    example: Example, data: st.DataObject, how: str, value: Any
) -> None:
    """With any change, at any place."""
    path = data.draw(st.sampled_from(paths(example.document)))
    assume(path != ("schema_version",) or value is not True)  # Python's True is its 1
    document = changed(example.document, path, how, value)
    assert schema(example.kind).is_valid(document) is taken(example.kind, document), path


@pytest.mark.parametrize("example", GOOD, ids=lambda one: f"{one.kind}-{one.name}")
def test_what_is_written_is_what_was_read(example: Example) -> None:
    """The program's own output fits the schema, and nothing is lost on the way."""
    adapter = MODELS[example.kind]
    again = json.loads(adapter.dump_json(adapter.validate_python(example.document), by_alias=True))
    assert again == example.document


def test_members_that_are_written_no_more_are_read() -> None:
    """Records of earlier versions have them; the next output does not."""
    good = {one.name: one for one in GOOD}
    for name, place, member, value in (
        ("device-enrolled", "body", "holder_hint", "alice"),
        ("holder-failed", "trouble", "disclosed", True),
    ):
        example = good[name]
        holding = next(path for path in paths(example.document) if path[-1] == place)
        older = changed(example.document, (*holding, "platform"), "add", value)
        within = older
        for key in holding:
            within = within[key]
        within[member] = within.pop("neighbour")
        assert schema(example.kind).is_valid(older)
        adapter = MODELS[example.kind]
        read = adapter.validate_python(older)
        assert json.loads(adapter.dump_json(read, by_alias=True)) == example.document
