"""Numbers of any size in questions to the service."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from connector.operators.verbs.audit import AuditQuery
from connector.operators.verbs.dead_letters import LetterQuery
from connector.operators.verbs.table import VERBS

LARGEST = 2**63 - 1


def integers(schema: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each integer that a schema describes, with its place."""
    if isinstance(schema, dict):
        if schema.get("type") == "integer":
            yield name, schema
        for key, inner in schema.items():
            yield from integers(inner, f"{name}.{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from integers(inner, name)


def test_every_integer_of_a_question_fits_into_the_journal() -> None:
    """SQLite's integers have 64 bits; a larger one would be an error of ours, not a refusal."""
    found = [one for verb in VERBS for one in integers(verb.takes.model_json_schema(), verb.name)]
    assert len(found) > 5
    for place, schema in found:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        assert low is not None, place
        assert low >= -LARGEST - 1, place
        assert schema.get("maximum", LARGEST + 1) <= LARGEST, place


@pytest.mark.parametrize("beyond", [LARGEST + 1, -LARGEST - 2, 10**400])
def test_a_number_beyond_it_is_refused(beyond: int) -> None:
    """By the model, for the command line and the socket alike."""
    for kind, member in ((AuditQuery, "after"), (AuditQuery, "partition"), (LetterQuery, "since")):
        with pytest.raises(ValidationError, match=member):
            kind.model_validate({member: str(beyond)})
