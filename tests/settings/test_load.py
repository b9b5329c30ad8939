"""Settings that can be used."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from connector.core.policy import Gates, Mode, Retry
from connector.core.selection import SigningPolicy
from connector.settings.load import load
from connector.settings.model import Settings
from connector.settings.plugins import Plugins
from connector.settings.report import SettingsRefused
from connector.settings.upstreams import UemSettings
from tests.settings.examples import Change, Check, PhonesSettings, Values


def usable(checked: Check, values: Values, environment: dict[str, str] | None = None) -> Settings:
    result = checked(values, environment)
    assert result.problems == ()
    assert result.settings is not None
    return result.settings


def test_good_settings_are_taken(checked: Check, good: Values) -> None:
    """Good settings are taken; what was left out has its default."""
    settings = usable(checked, good)
    assert settings.service.intake.listen.host == "127.0.0.1"
    assert settings.journal.partitions == 4
    assert settings.routes["staff"].profiles == {"apple": "12", "*": "13"}


def test_an_upstream_is_an_instance_of_both_models(checked: Check, good: Values) -> None:
    """An upstream is an instance of the plug-in's settings model and of ours."""
    uem = usable(checked, good).uems["ws-one"]
    assert {UemSettings, PhonesSettings} <= set(type(uem).__mro__)
    assert uem.webhook is not None


def test_a_plugin_gets_its_own_part_alone(checked: Check, good: Values, tmp_path: Path) -> None:
    """The reference for a hand-over carries what the plug-in's own model accepts, as JSON."""
    reference = usable(checked, good).uems["ws-one"].reference("ws-one")
    assert (reference.plugin, reference.name) == ("phones", "ws-one")
    part = PhonesSettings.model_validate(reference.settings)
    assert part.password_file == tmp_path / "api.password"


def test_a_route_becomes_the_policy_of_the_core(checked: Check, good: Values) -> None:
    """Durations become milliseconds, names lower case, ``archived_mode: off`` no archive."""
    policy = usable(checked, good).policies()["staff"]
    assert policy.retention == 48 * 3600 * 1000
    assert policy.mail_domains == ("example.com",)
    assert policy.person_attribute == "employeeid"
    assert (policy.mode, policy.signing) == (Mode.DELIVER, SigningPolicy.IF_ESCROWED)
    assert policy.retry == Retry(first=2000, cap=900_000)
    assert policy.gates == Gates()
    assert policy.archived is False


def test_archived_generations_are_sent_unless_off(checked: Check, changed: Change) -> None:
    """Any other archived mode means that the archive is sent."""
    settings = usable(checked, changed("uems.ws-one.archived_mode", "bundle"))
    assert settings.policies()["staff"].archived is True


def test_the_environment_wins(checked: Check, good: Values) -> None:
    """A variable replaces one value; a hyphen in a name is an underscore in the variable's."""
    settings = usable(
        checked,
        good,
        {
            "PKI_CONNECTOR_SERVICE__LOG_LEVEL": "debug",
            "PKI_CONNECTOR_UEMS__WS_ONE__RATE": "2.5",
            "PKI_CONNECTOR_ROUTES__STAFF__GROUPS": '["Board"]',
            "PKI_CONNECTOR_JOURNAL__PATH": "",
            "PKI_CONNECTOR_CONFIG": "elsewhere.yaml",
            "PATH": "/usr/bin",
        },
    )
    assert settings.service.log_level == "debug"
    assert settings.uems["ws-one"].rate == 2.5
    assert settings.routes["staff"].groups == ("board",)


def test_relative_paths_start_at_the_file(checked: Check, changed: Change, tmp_path: Path) -> None:
    """A relative path in the file is relative to the file's own directory."""
    settings = usable(checked, changed("journal", {"path": "data/j.sqlite"}))
    assert settings.audit.key_file == tmp_path / "audit.key"
    assert settings.journal.path == tmp_path / "data/j.sqlite"


def test_settings_are_frozen(checked: Check, good: Values) -> None:
    """Nothing can be changed afterwards, at any level."""
    settings = usable(checked, good)
    with pytest.raises(ValidationError):
        settings.service.intake.body_limit = 1  # type: ignore[misc] # what is refused here


def test_load_raises_all_problems_at_once(plugins: Plugins) -> None:
    """``load`` refuses with every fault; without a file all that is required is asked for."""
    with pytest.raises(SettingsRefused) as refused:
        load(None, {}, plugins)
    missing = {problem.setting for problem in refused.value.problems}
    assert {"audit.key_file", "uems", "cas", "routes", "service.intake"} <= missing
    assert refused.value.code == "CFG-001"
