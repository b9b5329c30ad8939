"""Rules and dashboard as the chart renders them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "pki-connector"
NAMESPACE = "demo"
SELECTOR = f'namespace="{NAMESPACE}"'
UEM = {
    "type": "workspace_one",
    "address": "https://uem.example.com",
    "username": "svc",
    "password_file": "/run/secrets/uem/password",
    "tenant_code_file": "/run/secrets/uem/tenant-code",
    "archived_mode": "off",
}
ROUTE = {
    "uem": "corp",
    "ca": "main",
    "identity": {"person_attribute": "username", "agreeing_attribute": "email"},
    "retention": "48h",
    "profiles": {"*": 4711},
    "other_devices": "hold",
    "unknown_set": "refuse",
    "signing": "never",
}
VALUES: dict[str, Any] = {
    "config": {
        "uems": {"corp": UEM},
        "cas": {"main": {"type": "http", "address": "https://ca.example.com"}},
        "routes": {"staff": ROUTE},
    },
    "backup": {"enabled": True},
    "secrets": {"uem": {"existingSecret": "uem-account"}},
    "metrics": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True, "selector": SELECTOR},
        "dashboard": {"enabled": True},
    },
}
METRIC = re.compile(r"\bpki_connector_[a-z0-9_]+")


def objects(folder: Path, rule: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The chart's objects for monitoring, by kind; ``rule``: values of the PrometheusRule."""
    metrics = VALUES["metrics"] | {
        "prometheusRule": VALUES["metrics"]["prometheusRule"] | dict(rule or {})
    }
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump({**VALUES, "metrics": metrics}), encoding="utf-8")
    shown = ("prometheusrule", "servicemonitor", "dashboard")
    command = (
        *(str(Path(sys.executable).parent / "helm"), "template", "demo", str(CHART)),
        *("--namespace", NAMESPACE, "--values", str(file)),
        *(f"--show-only=templates/{name}.yaml" for name in shown),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}


def groups(folder: Path, rule: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The groups of rules."""
    found: list[dict[str, Any]] = objects(folder, rule)["PrometheusRule"]["spec"]["groups"]
    return found


def alerts(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The alerts in groups of rules."""
    for group in groups:
        yield from (rule for rule in group["rules"] if "alert" in rule)


def dashboard() -> dict[str, Any]:
    """The dashboard as it is given to Grafana."""
    text = (CHART / "files" / "dashboard.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


class Query(NamedTuple):
    """What a panel asks, with the variables replaced by what selects everything."""

    panel: str
    text: str
    legend: str


def queries() -> Iterator[Query]:
    """Those of every panel, in the order of the dashboard."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"].replace("$namespace", NAMESPACE).replace("$target", ".*")
            text = text.replace("$__rate_interval", "1m").replace("$__range", "10m")
            yield Query(panel["title"], text, target["legendFormat"])
