"""The chart as helm, Kubernetes and yamllint see it."""

import shutil
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.chart.rendering import (
    CHART,
    CI,
    NAMESPACE,
    NEWEST,
    OLDEST,
    RELEASE,
    Document,
    helm,
    only,
    template,
)

pytestmark = [pytest.mark.chart, pytest.mark.slow]
each_file = pytest.mark.parametrize("values", CI, ids=lambda file: file.stem)
TEXT = {"type": "string", "minLength": 1}
OTHERS: dict[str, dict[str, Any]] = {
    "Certificate": {
        "required": ["secretName", "issuerRef"],
        "properties": {
            "secretName": TEXT,
            "issuerRef": {"type": "object", "required": ["name"]},
            "dnsNames": {"type": "array", "items": TEXT, "minItems": 1},
        },
    },
    "ExternalSecret": {
        "required": ["secretStoreRef", "target"],
        "properties": {"target": {"type": "object", "required": ["name"]}},
    },
    "HTTPRoute": {
        "required": ["parentRefs", "rules"],
        "properties": {"parentRefs": {"type": "array", "minItems": 1}},
    },
    "ServiceMonitor": {"required": ["selector", "endpoints"]},
    "PrometheusRule": {"required": ["groups"]},
}
"""What has to be in the spec of objects that Kubernetes does not have by itself."""
STYLE = """
extends: default
rules:
  line-length: {max: 120}
  document-start: disable
  braces: {max-spaces-inside: 0}
"""


@each_file
def test_lint_finds_nothing(values: Path) -> None:
    """Not even a warning, which helm gives for names and versions that it will refuse later."""
    done = helm("lint", CHART, "--strict", "--values", values)
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout


@each_file
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_all_members(values: Path, version: str) -> None:
    """On the oldest and the newest version that is supported; a misspelt member is a fault."""
    for one in template(values):
        if one["kind"] in OTHERS:
            jsonschema.validate(one["spec"], OTHERS[one["kind"]])
        else:
            kubernetes_validate.validate(one, version, strict=True)


def test_the_supported_versions_are_the_ones_of_the_chart() -> None:
    """What is tested as the oldest version is what helm refuses to go below."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"
    assert kubernetes_validate.latest_version().startswith(f"{NEWEST}.")


def test_the_chart_can_be_packed(tmp_path: Path) -> None:
    """What is packed can be rendered, without the values for tests."""
    done = helm("package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    (packed,) = tmp_path.iterdir()
    assert template(CI[0], chart=packed) == template(CI[0])
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(packed, unpacked, filter="data")
    assert not (unpacked / "pki-connector" / "ci").exists()


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A chart that has ours as a dependency."""
    folder = tmp_path / "parent"
    (folder / "charts").mkdir(parents=True)
    (folder / "charts" / "pki-connector").symlink_to(CHART)
    condition = {"name": "pki-connector", "version": "*", "condition": "pki-connector.enabled"}
    chart = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [condition]}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(chart))
    return folder


@each_file
def test_it_can_be_a_subchart(parent: Path, values: Path) -> None:
    """Helm then adds `global` to its values; the objects are the same."""
    ours = yaml.safe_load(values.read_text("utf-8"))
    given = {"global": {"of-the-parent": 1}, "pki-connector": {"enabled": True, **ours}}
    (parent / "values.yaml").write_text(yaml.safe_dump(given))
    assert named(template(None, chart=parent)) == named(template(values))


def test_a_parent_can_switch_it_off(parent: Path) -> None:
    """By the condition of the dependency, and without one by the value alone."""
    (parent / "values.yaml").write_text("pki-connector: {enabled: false}\n")
    assert template(None, chart=parent) == ()
    assert template(CI[0], "--set", "enabled=false") == ()


def named(objects: tuple[Document, ...]) -> dict[tuple[str, str], Document]:
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


YAML = (
    CHART / "Chart.yaml",
    CHART / "values.yaml",
    CHART.parent / "values.schema.yaml",
    *CI,
)


@pytest.mark.parametrize("file", YAML, ids=lambda file: file.stem)
def test_the_style_of_yaml(file: Path) -> None:
    """What operators copy from is written as yamllint wants it."""
    config = YamlLintConfig(STYLE)
    assert [str(one) for one in linter.run(file.read_text("utf-8"), config)] == []


def notes(folder: Path, values: Path, *options: str) -> str:
    """What helm says after an installation; `helm template` renders it and does not show it."""
    chart = folder / "pki-connector"
    if not chart.exists():
        shutil.copytree(CHART, chart)
        told = (chart / "templates" / "NOTES.txt").read_text("utf-8")
        (chart / "templates" / "notes.tpl.yaml").write_text(
            '{{- define "notes" }}' + told + "{{- end }}\n"
            'kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | toJson }}\n'
        )
    text: str = only(template(values, *options, chart=chart), "Notes")["text"]
    return text


def test_the_notes_say_what_is_next(tmp_path: Path) -> None:
    """Which Secrets are waited for, how it is checked, where notifications go, what to mind."""
    sqlite, several, demo = (
        CHART / "ci" / f"{kind}-values.yaml" for kind in ("sqlite", "several-tenants", "demo")
    )
    told = notes(tmp_path, sqlite)
    assert "uem-account (secrets.uem)" in told
    assert f"helm -n {NAMESPACE} test {RELEASE}" in told
    assert "pki-connector config check --connect" in told
    assert "corp: /hooks/workspace_one/corp" in told
    assert "main: /hooks/standard_webhooks/main" in told
    assert "WARNING" not in told
    network = notes(tmp_path, sqlite, "--set", "persistence.storageClassName=company-nfs")
    assert "looks like a network file system" in network
    assert "No copies of the journal are made" in notes(tmp_path, several)
    assert "port-forward" in notes(tmp_path, demo)
