"""Of settings the chart says what `config check` would say, before anything is installed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.settings.load import check
from connector.settings.plugins import installed
from tests.chart.rendering import KAFKA, SQLITE, refusal, settings_text, template

pytestmark = [pytest.mark.chart, pytest.mark.slow]

SAME: dict[str, tuple[Path, str, Any]] = {
    "a misspelt setting": (SQLITE, "service.drian", "3s"),
    "a misspelt section": (SQLITE, "workr.lanes", 3),
    "a misspelt setting of a plug-in": (SQLITE, "uems.corp.adress", "https://uem.example.com"),
    "a setting of another journal": (SQLITE, "journal.prefix", "connector"),
    "a secret": (SQLITE, "uems.corp.password", "geheim"),
    "a duration without a unit": (SQLITE, "routes.staff.retention", 24),
    "a UEM that is not there": (SQLITE, "routes.staff.uem", "crop"),
    "TLS and proxies that end it": (
        SQLITE,
        "service.intake",
        {
            "plain_from": ["10.0.0.0/24"],
            "tls": {"certificate_file": "/run/secrets/tls/a", "key_file": "/run/secrets/tls/b"},
        },
    ),
    "a login without a user": (KAFKA, "journal.security.sasl.user", None),
    "a login with a token as well": (
        KAFKA,
        "journal.security.sasl.token_file",
        "/run/secrets/kafka/token",
    ),
}


def given(values: Path, setting: str, value: Any) -> dict[str, Any]:
    """The settings that a file of values gives, with one that is changed."""
    document: dict[str, Any] = yaml.safe_load(settings_text(template(values)))
    *sections, member = setting.split(".")
    at = document
    for section in sections:
        at = at.setdefault(section, {})
    at[member] = value
    return document


def changed(folder: Path, setting: str, value: Any) -> Path:
    """Values that change one setting."""
    for name in reversed(setting.split(".")):
        value = {name: value}
    file = folder / "changed.yaml"
    file.write_text(yaml.safe_dump({"config": value}))
    return file


@pytest.mark.parametrize(("values", "setting", "value"), SAME.values(), ids=list(SAME))
def test_a_wrong_setting_is_refused_with_the_same_words(
    tmp_path: Path, values: Path, setting: str, value: Any
) -> None:
    """At the same place; the chart says it without the line, and `config check` with what to do."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(yaml.safe_dump(given(values, setting, value), sort_keys=False))
    (problem,) = [
        one
        for one in check(settings, {}, installed()).problems
        if setting.startswith(one.setting) and one.code != "CFG-003"  # its file is not there
    ]
    told = refusal(values, "--values", str(changed(tmp_path, setting, value)))
    assert f"config.{problem.setting}" in told
    assert re.sub("^(must be|SCRAM-SHA-512) ", "", problem.wrong) in told
