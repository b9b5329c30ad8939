"""What an upgrade has to leave as it is: volumes, selectors, names."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import (
    CHART,
    CI,
    DEMO,
    KAFKA,
    RELEASE,
    SQLITE,
    Document,
    of_kind,
    only,
    template,
)

pytestmark = [pytest.mark.chart, pytest.mark.slow]
CHANGEABLE = frozenset(
    {
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    }
)
"""Members of a StatefulSet's spec that Kubernetes lets an upgrade change."""
CHANGES = {
    "image.tag": "9.8.7",
    "commonLabels.team": "other",
    "commonAnnotations.contact": "other",
    "podLabels.zone": "other",
    "podAnnotations.trace": "other",
    "resources.requests.memory": "2Gi",
    "config.service.drain": "40s",
    "persistence.whenDeleted": "Delete",
    "updateStrategy.type": "OnDelete",
    "networkPolicy.enabled": "false",
    "serviceAccount.create": "false",
    "terminationGracePeriodSeconds": "99",
    "revisionHistoryLimit": "3",
    "podDisruptionBudget.enabled": "false",
    "service.port": "8443",
}


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart in a later version, of a later version of the program."""
    folder = tmp_path_factory.mktemp("newer") / "pki-connector"
    shutil.copytree(CHART, folder)
    chart = yaml.safe_load((folder / "Chart.yaml").read_text("utf-8"))
    chart |= {"version": "9.8.7", "appVersion": "9.8.7"}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(chart))
    return folder


def fixed(objects: tuple[Document, ...]) -> dict[str, Any]:
    """All that Kubernetes lets no upgrade change, by the kind and name of its object."""
    found: dict[str, Any] = {}
    for one in of_kind(objects, "StatefulSet", "PersistentVolumeClaim"):
        members = {name: it for name, it in one["spec"].items() if name not in CHANGEABLE}
        found[f"{one['kind']} {one['metadata']['name']}"] = members
    for one in of_kind(objects, "Service"):
        headless = one["spec"].get("clusterIP")
        found[f"Service {one['metadata']['name']}"] = (headless, one["spec"]["selector"])
    return found


@pytest.mark.parametrize("values", CI, ids=lambda file: file.stem)
def test_an_upgrade_keeps_what_cannot_be_changed(newer: Path, values: Path) -> None:
    """Of another version of the chart, with other values as well."""
    before = template(values)
    assert any(name.startswith(f"StatefulSet {RELEASE}") for name in fixed(before))
    later = template(values, chart=newer)
    assert fixed(later) == fixed(before)
    labels = (only(one, "StatefulSet")["metadata"]["labels"] for one in (before, later))
    assert len({one["helm.sh/chart"] for one in labels}) == 2
    options = [part for change in CHANGES.items() for part in ("--set", "=".join(change))]
    changed = template(values, *options, chart=newer)
    assert fixed(changed) == fixed(before)
    assert changed != later


def test_the_volume_has_the_name_that_the_pod_looks_for() -> None:
    """A claim is found again by its name alone, also after the release was removed."""
    spec = only(template(SQLITE), "StatefulSet")["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    assert set(claim["metadata"]["labels"]) == set(spec["selector"]["matchLabels"])


def test_the_kind_of_journal_is_what_an_upgrade_cannot_change() -> None:
    """As the README says; the other things that it names are the name and the volume."""
    assert fixed(template(SQLITE)) != fixed(template(KAFKA))
    assert fixed(template(SQLITE)) != fixed(template(DEMO))
    assert fixed(template(SQLITE)) != fixed(template(SQLITE, "--set", "persistence.size=9Gi"))
