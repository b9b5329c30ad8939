"""The settings that the chart writes are the program's, with any values."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.settings.load import check
from connector.settings.plugins import installed
from connector.settings.secrecy import names_file
from connector_testkit.simulators.tls import TlsFiles, issue_tls
from tests.chart.rendering import (
    CHART,
    CI,
    KAFKA,
    SQLITE,
    containers,
    of_kind,
    only,
    pod_spec,
    refusal,
    settings_text,
    template,
)

pytestmark = [pytest.mark.chart, pytest.mark.slow]
MOUNTS = "/run/secrets"


def files_of(value: Any, member: str = "") -> Iterator[tuple[str, str]]:
    """Each file that settings name, with the member that names it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from files_of(inner, name if names_file(name) or not member else member)
    elif isinstance(value, list):
        for inner in value:
            yield from files_of(inner, member)
    elif isinstance(value, str) and names_file(member):
        yield member, value


def content(member: str, tls: TlsFiles) -> bytes:
    """What a file of this kind may hold."""
    if member.endswith("certificate_file"):
        return tls.certificate.read_bytes()
    if member in {"key_file", "client_key_file"}:
        return tls.key.read_bytes()
    if member == "ca_file":
        return tls.ca.read_bytes()
    if member == "secret_files":
        return b"whsec_" + b64encode(secrets.token_bytes(32))
    return secrets.token_hex(32).encode()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return issue_tls(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("values", CI, ids=lambda file: file.stem)
def test_the_program_takes_them(tmp_path: Path, tls: TlsFiles, values: Path) -> None:
    """With files of the right form where the Secrets would be mounted."""
    text = settings_text(template(values)).replace(MOUNTS, str(tmp_path / "mounted"))
    written = tmp_path / "settings.yaml"
    written.write_text(text, "utf-8")
    for member, name in files_of(yaml.safe_load(text)):
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content(member, tls))
    checked = check(written, {}, installed())
    assert checked.problems == ()
    assert checked.settings is not None


def test_the_order_of_routes_is_kept() -> None:
    """The first that fits is used, and helm sorts the keys of values."""
    text = settings_text(template(SQLITE.with_name("several-tenants-values.yaml")))
    assert list(yaml.safe_load(text)["routes"]) == ["staff-board", "staff", "plant"]


def test_every_setting_arrives_as_it_was_written() -> None:
    """Numbers, words that YAML takes for truth values, and large numbers too."""
    given = "config.service.intake.body_limit=4194304", "config.worker.disclosure_ceiling=1000000"
    options = [part for one in given for part in ("--set", one)]
    settings = yaml.safe_load(settings_text(template(SQLITE, *options)))
    assert settings["service"]["intake"]["body_limit"] == 4194304
    assert settings["worker"]["disclosure_ceiling"] == 1_000_000
    assert settings["uems"]["corp"]["archived_mode"] == "off"
    assert settings["journal"] == {"type": "sqlite", "partitions": 8}


@pytest.mark.parametrize(
    ("drain", "seconds"),
    [("20s", 20), ("1m30s", 90), ("PT1M", 60), ("1500ms", 2), ("PT1H2S", 3602)],
)
def test_the_time_to_stop_follows_the_settings(drain: str, seconds: int) -> None:
    """Drain and the 15 seconds of docs/operation.md, in each way to write a duration."""
    given = ("--set", f"config.service.drain={drain}")
    assert stopping(SQLITE, *given) == (seconds + 15, None)
    assert stopping(KAFKA, *given) == (seconds + 15 + 8, {"preStop": {"sleep": {"seconds": 8}}})


def test_the_time_to_stop_can_be_given() -> None:
    """Both for pods that wait longer for their load balancer."""
    given = ("--set", "preStopSeconds=30", "--set", "terminationGracePeriodSeconds=300")
    assert stopping(SQLITE, *given) == (300, {"preStop": {"sleep": {"seconds": 30}}})
    assert stopping(SQLITE, "--set", "lifecycle.preStop.exec.command={leave}") == (
        35,
        {"preStop": {"exec": {"command": ["leave"]}}},
    )


def stopping(values: Path, *options: str) -> tuple[int, Any]:
    spec = pod_spec(only(template(values, *options), "StatefulSet"))
    (connector,) = [one for one in spec["containers"] if one["name"] == "connector"]
    return spec["terminationGracePeriodSeconds"], connector.get("lifecycle")


def test_each_container_of_the_program_finds_its_settings() -> None:
    """So that `kubectl exec … pki-connector status` needs no option."""
    for values in CI:
        workloads = of_kind(template(values), "StatefulSet", "Job")
        for workload in workloads:
            for one in containers(workload):
                if "pki-connector" in one["image"] and "simulate" not in one["args"]:
                    variables = {each["name"]: each.get("value") for each in one["env"]}
                    assert variables["PKI_CONNECTOR_CONFIG"] == "/etc/pki-connector/settings.yaml"
                    mounts = {each["mountPath"] for each in one["volumeMounts"]}
                    assert "/etc/pki-connector" in mounts


@pytest.mark.parametrize("folder", ["/run/operators", "/var/lib/pki-connector"])
def test_the_socket_of_the_settings_lies_in_a_volume(folder: str) -> None:
    """The root file system is read-only, and a mount path may be there only once."""
    given = ("--set", f"config.service.admin.socket={folder}/connector.sock")
    workload = only(template(SQLITE, *given), "StatefulSet")
    (connector,) = [one for one in containers(workload) if one["name"] == "connector"]
    mounts = [one["mountPath"] for one in connector["volumeMounts"]]
    assert mounts.count(folder) == 1
    assert "/run/pki-connector" not in mounts
    assert "/var/lib/pki-connector" in mounts


def test_the_chart_has_the_version_of_the_program() -> None:
    """`make release` writes both."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == chart["version"] == version("pki-connector")


def test_a_plug_in_of_another_distribution_can_be_used() -> None:
    """Its settings are not known here and pass as they are; all others are still checked."""
    given = ("--set", "config.uems.corp.type=acme", "--set", "config.uems.corp.fleet=blue")
    assert "does not match" in refusal(SQLITE, *given)
    named = (*given, "--set", "image.plugins={acme}")
    settings = yaml.safe_load(settings_text(template(SQLITE, *named)))
    assert settings["uems"]["corp"]["fleet"] == "blue"
    assert "not a setting" in refusal(SQLITE, *named, "--set", "config.service.drian=1s")
