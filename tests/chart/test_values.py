"""What is written about values is true: comments, schema, README."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from connector.settings.plugins import installed
from connector.settings.schema import configuration_schema
from deploy.helm.values_schema import values_schema
from deploy.helm.values_table import values
from tests.chart.rendering import CHART, CI

pytestmark = pytest.mark.chart


def test_every_value_is_described() -> None:
    """A value without a comment would be missing in the README."""
    paths = [one.path for one in values()]
    assert len(paths) == len(set(paths)) > 100
    assert {"journal.kind", "config", "secrets", "image.digest"} <= set(paths)
    assert all(one.meaning.endswith(".") for one in values())


def test_a_value_without_a_comment_is_a_fault(tmp_path: Path) -> None:
    """So that none can be forgotten."""
    file = tmp_path / "values.yaml"
    file.write_text("# -- Described.\none: 1\ntwo:\n  three: 3\n")
    with pytest.raises(ValueError, match=re.escape("two.three: no comment")):
        list(values(file))


def test_the_schema_knows_every_value_and_no_other() -> None:
    """It is strict, and what stands in values.yaml is all there is."""
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    default = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert names(schema) == set(members(default))


def members(default: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in default.items():
        yield f"{path}{name}"
        if isinstance(value, dict) and f"{path}{name}" not in OPEN:
            yield from members(value, f"{path}{name}.")


OPEN = {
    "config",
    "secrets",
    "resources",
    "backup.resources",
    "podSecurityContext",
    "securityContext",
    "startupProbe",
    "livenessProbe",
    "readinessProbe",
    "updateStrategy",
    "metrics.dashboard.labels",
}
"""Values whose members are Kubernetes's or the program's."""


def names(schema: dict[str, Any], path: str = "") -> set[str]:
    found = set()
    for name, inner in schema.get("properties", {}).items():
        found.add(f"{path}{name}")
        if inner.get("type") == "object" and f"{path}{name}" not in {*OPEN, UPSTREAMS}:
            found |= names(inner, f"{path}{name}.")
    return found


UPSTREAMS = "networkPolicy.upstreamTo"


def test_every_setting_of_the_program_is_in_the_schema() -> None:
    """Each section and each member of it, with what they ask for."""
    program = configuration_schema(installed())
    chart = values_schema(program)
    assert set(chart["definitions"]) == set(program["$defs"])
    for name, section in program["$defs"].items():
        ours = chart["definitions"][name]
        assert set(ours.get("properties", ())) == set(section.get("properties", ())), name
        for member, setting in section.get("properties", {}).items():
            for asked in ("minimum", "maximum", "minItems", "maxLength", "exclusiveMinimum"):
                assert ours["properties"][member].get(asked) == setting.get(asked), (name, member)
    assert set(chart["properties"]["config"]["properties"]) == set(program["properties"])


def test_the_schema_is_one_that_helm_can_use() -> None:
    """Go's regular expressions have no look-ahead, and helm's validator does not tell of allOf."""
    text = (CHART / "values.schema.json").read_text("utf-8")
    assert "(?" not in text
    assert '"allOf"' not in text
    assert '"$defs"' not in text


@pytest.mark.parametrize("file", CI, ids=lambda file: file.stem)
def test_another_validator_agrees_with_helm(file: Path) -> None:
    """Newer versions of Helm have another one than the version of these tests."""
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    default = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    given = merged(default, yaml.safe_load(file.read_text("utf-8")))
    assert list(jsonschema.Draft7Validator(schema).iter_errors(given)) == []


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """As helm lays the values of a file over those of the chart."""
    both = below | above
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            both[name] = merged(below[name], value)
    return both
