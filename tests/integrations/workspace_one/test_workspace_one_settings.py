"""Settings of the target: what must be decided, what is refused, what never shows."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connector.integrations.workspace_one.settings import WorkspaceOneSettings

GIVEN: dict[str, Any] = {
    "address": "https://as123.example.com",
    "username": "svc.pki",
    "password_file": "/secrets/password",
    "tenant_code_file": "/secrets/code",
    "archived_mode": "list-field",
}


def faults(**changes: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        WorkspaceOneSettings.model_validate(GIVEN | changes)
    errors = caught.value.errors(include_input=False, include_context=False, include_url=False)
    return [(error["loc"], error["msg"]) for error in errors]


def test_how_archived_pairs_are_sent_must_be_decided() -> None:
    """There is no default, and the schema says what to consider."""
    given = {name: value for name, value in GIVEN.items() if name != "archived_mode"}
    with pytest.raises(ValidationError, match="archived_mode"):
        WorkspaceOneSettings.model_validate(given)
    schema = WorkspaceOneSettings.model_json_schema()
    assert "archived_mode" in schema["required"]
    assert "/api/help" in schema["properties"]["archived_mode"]["x-consider"]


def test_bundle_is_refused_with_the_way_out() -> None:
    """Who asks for several keys in one file learns why not, and what else there is."""
    ((place, text),) = faults(archived_mode="bundle")
    assert place == ("archived_mode",)
    assert "list-field" in text
    assert "off" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "https://as123.example.com/API"},
        {"address": "https://as123.example.com/api/"},
        {"upload_path": "system/users/uploadsmimecerts"},
        {"upload_path": "system/users/{id}x/uploadsmimecerts"},
        {"upload_path": "system/../users/{id}?x=1"},
        {"api_path": "API{id}"},
        {"archived_member": 'A":1,"Signing'},
        {"username": "svc:pki"},
        {"username": "svc\n"},
        {"page_size": 0},
        {"versions": {"nonsense": 2}},
        {"verify_tls": False},
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    """Nothing odd reaches a path, a header or a body, and nothing unknown is taken."""
    assert faults(**changes)


def test_settings_survive_the_way_to_the_hand_over() -> None:
    """As JSON and back they are the same."""
    settings = WorkspaceOneSettings.model_validate(
        GIVEN | {"versions": {"upload": 2}, "ca_file": Path("/ca.pem")}
    )
    again = WorkspaceOneSettings.model_validate(settings.model_dump(mode="json"))
    assert again == settings


def test_statuses_are_numbers_or_words() -> None:
    """A settings' file holds ``[3, Installed]``; both are compared as lower-case text."""
    settings = WorkspaceOneSettings.model_validate(
        GIVEN | {"profile_statuses": {"installed": [3, "Installed"]}, "enrolled_statuses": [4]}
    )
    assert settings.profile_statuses.installed == ("3", "installed")
    assert settings.enrolled_statuses == ("4",)
