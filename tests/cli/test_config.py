"""``config``, ``version`` and ``serve`` with settings that cannot be used."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from connector_testkit.simulators.tls import issue_tls
from tests.cli.calls import Command


def test_good_settings_are_shown_with_their_source(command: Command, good: Path) -> None:
    """Every value with line, variable or ``default``; never the content of a secret."""
    variables = {"PKI_CONNECTOR_SERVICE__LOG_LEVEL": "debug", "PKI_CONNECTOR_CONFIG": str(good)}
    result = command("config", "check", "--config", str(good), "-o", "json", **variables)
    assert result.code == 0
    shown = json.loads(result.out)
    found = {row["setting"]: (row["value"], row["source"]) for row in shown["settings"]}
    assert shown["problems"] == []
    assert found["service.log_level"][0] == "debug"
    assert found["journal.partitions"] == ("4", "default")
    assert found["routes.staff.retention"][0] == "2d"
    table = command("config", "check", "--config", str(good)).out
    assert "routes.staff.retention" in table
    assert "marker" not in result.out + table


@pytest.mark.parametrize(("days", "code"), [(-1, "CRT-001"), (20, "CRT-002")])
def test_a_certificate_that_ends_is_a_warning(
    command: Command, good: Path, days: int, code: str
) -> None:
    """With its place; it keeps nothing from starting. Both of the service's own are looked at."""
    ends = datetime.now(UTC) + timedelta(days=days)
    issue_tls(good.parent / "tls", client="pki-connector", ends=ends)
    result = command("config", "check", "--config", str(good))
    assert result.code == 0
    assert result.err.count(f"[{code}]") == 2
    assert f"service.intake.tls.certificate_file ({good}:" in result.err
    told = json.loads(command("config", "check", "--config", str(good), "-o", "json").out)
    assert [warning["code"] for warning in told["warnings"]] == [code, code]


def test_good_settings_are_said_to_be_in_order(command: Command, good: Path) -> None:
    """In the last line, beside the table."""
    result = command("config", "check", "--config", str(good))
    assert result.err.splitlines()[-1] == "The settings are valid; 0 warning(s)."


def test_every_fault_is_told_with_its_place(command: Command, good: Path) -> None:
    """Exit code 8; the report goes to standard error, or is JSON."""
    good.write_text(good.read_text().replace("retention: 48h", "retention: 48"))
    result = command("config", "check", "--config", str(good))
    assert (result.code, result.out) == (8, "")
    assert "routes.staff.retention must be a duration with its unit" in result.err
    assert f"{good}:" in result.err
    told = json.loads(command("config", "check", "--config", str(good), "-o", "json").out)
    assert [problem["setting"] for problem in told["problems"]] == ["routes.staff.retention"]


def test_the_service_does_not_start_with_faulty_settings(command: Command, good: Path) -> None:
    """``serve`` reports the same faults and ends with 8."""
    good.write_text(good.read_text().replace("signing: never", "signing: sometimes"))
    result = command("serve", "--config", str(good))
    assert result.code == 8
    assert "routes.staff.signing" in result.err


def test_the_example_and_the_schema_fit(command: Command, good: Path) -> None:
    """The schema takes good settings; the example is YAML of the same sections."""
    schema = json.loads(command("config", "schema").out)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(good.read_text()))
    example = yaml.safe_load(command("config", "example").out)
    assert set(example) == {*yaml.safe_load(good.read_text()), "journal", "handover", "worker"}


def test_the_socket_comes_from_the_settings(command: Command, good: Path) -> None:
    """Commands find the socket in settings that need not be good otherwise."""
    good.write_text(good.read_text().replace("48h", "48"))
    result = command("status", "--config", str(good))
    assert result.code == 6


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (None, "cannot be read: No such file or directory [CFG-003]"),
        ("a: [1,", "is not YAML (UTF-8) [CFG-001]"),
        ("- one", "must be a mapping [CFG-001]"),
    ],
)
def test_a_file_that_cannot_be_read_is_the_only_fault(
    command: Command, tmp_path: Path, text: str | None, wrong: str
) -> None:
    """What would be missing from an unreadable file is not reported: it would hide the cause."""
    file = tmp_path / "connector.yaml"
    if text is not None:
        file.write_text(text)
    for name in (("config", "check"), ("serve",)):
        result = command(*name, "--config", str(file))
        assert (result.code, result.out) == (8, "")
        assert wrong in result.err
        assert result.err.endswith("1 problem(s) in the settings.\n")


def test_without_a_file_it_says_so(command: Command) -> None:
    """A missing ``--config`` is named in the refusal."""
    assert "no file (--config): audit.key_file is not set" in command("config", "check").err


def test_a_socket_is_not_guessed(command: Command, tmp_path: Path) -> None:
    """A missing settings file is reported; no other service is asked instead."""
    result = command("status", "--config", str(tmp_path / "missing.yaml"))
    assert (result.code, result.err.split()[0]) == (8, "CFG-003")
    assert "missing.yaml" in result.err
    assert command("version", "--config", str(tmp_path / "missing.yaml")).code == 0


def test_versions(command: Command) -> None:
    """Program, Python and plug-ins."""
    facts = json.loads(command("version", "-o", "json").out)
    assert facts["escrow"] == ["http"]
    assert facts["targets"] == ["workspace_one"]
    assert facts["sources"] == ["standard_webhooks", "workspace_one"]
    assert facts["broken"] == []
    assert command("--version").out == f"pki-connector {facts['version']}\n"
    assert command("version", "-h").out == command("version", "--help").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("simulate", "ca"),
        ("simulate", "ca", "--directory", "x", "--set", "nonsense"),
        ("simulate", "ca", "--directory", "x", "--set", "nonsense=1"),
        ("simulate", "ca", "--directory", "x", "--set", "control_host=192.0.2.1"),
        ("simulate", "uem", "--directory", "x", "--password-file", "missing"),
        ("nonsense",),
    ],
)
def test_wrong_arguments_are_usage(command: Command, arguments: tuple[str, ...]) -> None:
    """Exit code 2, and nothing is started."""
    assert command(*arguments).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("audit", "verify", "--offline"),
        ("audit", "export", "--offline"),
        ("audit", "rekey", "--key-lost", "--reason", "r"),
        ("journal", "backup", "{folder}/copy"),
        ("journal", "copy", "--from", "{file}", "--to", "{file}", "--trail", "{folder}/trail"),
    ],
)
def test_faulty_settings_are_an_error_in_json_for_every_command(
    command: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """One document on standard error with the first fault, as each other error in JSON."""
    file = tmp_path / "connector.yaml"
    file.write_text("service: 7\n")
    given = [one.format(file=file, folder=tmp_path) for one in arguments]
    result = command(*given, "--config", str(file), "--output", "json")
    assert (result.code, result.out, result.error) == (8, "", "CFG-001")
    assert str(file) in json.loads(result.err)["error"]["detail"]
