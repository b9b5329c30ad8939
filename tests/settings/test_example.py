"""The example file, the page and the schema are made from the settings, so they fit them."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from connector.settings.effective import effective
from connector.settings.example import example
from connector.settings.page import configuration_page
from connector.settings.plugins import Plugins
from connector.settings.schema import configuration_schema
from tests.settings.examples import Change, Check, Values


@pytest.mark.parametrize("journal", ["sqlite", "kafka"])
def test_the_example_asks_for_what_must_be_decided(
    checked: Check, plugins: Plugins, journal: str
) -> None:
    """An unchanged example has only one kind of fault: what must be given is not given yet."""
    problems = checked(example(plugins, journal)).problems
    assert {problem.wrong for problem in problems} == {
        "is not set",
        "is not decided and has no default",
    }
    settings = {problem.setting for problem in problems}
    assert "routes.staff.retention" in settings
    assert ("journal.bootstrap_servers" in settings) == (journal == "kafka")


@pytest.mark.parametrize("journal", ["sqlite", "kafka"])
def test_every_default_in_the_example_is_a_setting(
    checked: Check, plugins: Plugins, journal: str
) -> None:
    """With every comment sign before a name deleted, it still has no other fault."""
    shown = example(plugins, journal)
    text = re.sub(r"^( *)#( *- \w|( *)\w+:)", r"\1\2", shown, flags=re.MULTILINE)
    unset = re.sub(r"^( *)plain_from:.*", "", text, flags=re.MULTILINE)
    assert "  failed_tries:" in unset
    assert {problem.wrong for problem in checked(unset).problems} == {
        "is not set",
        "is not decided and has no default",
    }


def test_the_page_names_every_setting_that_must_be_decided(plugins: Plugins) -> None:
    """The page marks the settings without default, and says what to consider."""
    decided = re.findall(r"\| `(\w+)` \|.*\*\*must be decided\*\*", configuration_page(plugins))
    assert decided == [
        "archived_mode",
        "retention",
        "profiles",
        "other_devices",
        "unknown_set",
        "signing",
        "person_attribute",
        "agreeing_attribute",
    ]


def test_the_effective_settings_tell_their_source(
    checked: Check, good: Values, tmp_path: Path, marker: str
) -> None:
    """Each value comes with the line, the variable, or ``default``; of secrets the path alone."""
    rows = effective(checked(good, {"PKI_CONNECTOR_SERVICE__LOG_LEVEL": "debug"}))
    found = {row.setting: row for row in rows}
    assert found["service.log_level"].source == "environment PKI_CONNECTOR_SERVICE__LOG_LEVEL"
    assert found["journal.partitions"].source == "default"
    assert found["routes.staff.retention"].value == "2d"
    assert re.search(r"connector\.yaml:\d+$", found["routes.staff.retention"].source)
    assert found["audit.key_file"].value == str(tmp_path / "audit.key")
    assert found["uems.ws-one.webhook.credentials[0].user"].value == "uem"
    assert marker not in str(rows)


def test_faulty_settings_have_no_effect(checked: Check, changed: Change) -> None:
    """While something is wrong, nothing is in force."""
    assert effective(checked(changed("audit.key_file", None))) == []


@pytest.fixture
def schema(plugins: Plugins) -> jsonschema.Draft202012Validator:
    document = json.loads(json.dumps(configuration_schema(plugins)))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_the_schema_takes_good_settings(
    schema: jsonschema.Draft202012Validator, good: Values
) -> None:
    """What the program takes, the schema takes."""
    schema.validate(good)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("routes.staff.retention", 48),
        ("routes.staff.retention", "48 hours"),
        ("routes.staff.retention", None),
        ("routes.staff.signing", "perhaps"),
        ("routes.staff.approvals", 1),
        ("routes.staff.profiles", {}),
        ("uems.ws-one.type", "nope"),
        ("uems.ws-one.archived_mode", None),
        ("uems.ws-one.password", "x"),
        ("uems.BAD", {"type": "phones"}),
        ("service.intake.body_limits", 1),
        ("journal", {"partitions": 0}),
    ],
)
def test_the_schema_refuses_what_the_program_refuses(
    schema: jsonschema.Draft202012Validator,
    checked: Check,
    changed: Change,
    path: str,
    value: object,
) -> None:
    """What can be said in JSON Schema is refused by both."""
    values = changed(path, value)
    assert not schema.is_valid(values)
    assert checked(values).problems


def test_the_example_is_yaml_for_others_too(plugins: Plugins) -> None:
    """Another parser reads the same sections."""
    assert list(yaml.safe_load(example(plugins))) == [
        "service",
        "journal",
        "audit",
        "handover",
        "worker",
        "uems",
        "cas",
        "routes",
    ]
