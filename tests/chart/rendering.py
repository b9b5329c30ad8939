"""Renders the chart with the real helm."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "pki-connector"
CI = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE, NAMESPACE = "mail-keys", "pki"
SQLITE, KAFKA, DEMO = (
    CHART / "ci" / f"{kind}-values.yaml" for kind in ("sqlite", "kafka-scram", "demo")
)
OLDEST, NEWEST = "1.30", "1.37"
"""The Kubernetes versions that the chart supports."""
PODS = ("StatefulSet", "Job", "Pod")

Document = dict[str, Any]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run helm, without anything of the machine's user."""
    program = Path(sys.executable).with_name("helm")
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@cache
def template(
    values: Path | None, *options: str, chart: Path = CHART, release: str = RELEASE
) -> tuple[Document, ...]:
    """The objects that a values file gives."""
    done = _template(values, options, chart, release)
    assert done.returncode == 0, done.stderr
    return tuple(one for one in yaml.safe_load_all(done.stdout) if one)


def refusal(values: Path | None, *options: str) -> str:
    """What helm says of values that it does not take."""
    done = _template(values, options)
    assert done.returncode != 0, "it was rendered"
    return done.stderr


def _template(
    values: Path | None, options: Iterable[str], chart: Path = CHART, release: str = RELEASE
) -> subprocess.CompletedProcess[str]:
    given = ("--values", values) if values else ()
    place = ("--namespace", NAMESPACE, "--kube-version", f"{NEWEST}.0")
    return helm("template", release, chart, *place, *given, *options)


def of_kind(objects: Iterable[Document], *kinds: str) -> list[Document]:
    """The objects of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def only(objects: Iterable[Document], kind: str) -> Document:
    """The one object of a kind."""
    (found,) = of_kind(objects, kind)
    return found


def called(objects: Iterable[Document], kind: str, name: str) -> Document:
    """The object of a kind and a name."""
    return only((one for one in objects if one["metadata"]["name"] == name), kind)


def pod_spec(workload: Mapping[str, Any]) -> Document:
    """The spec of a workload's pods."""
    spec: Document = workload["spec"]
    if workload["kind"] != "Pod":
        spec = spec["template"]["spec"]
    return spec


def containers(workload: Mapping[str, Any]) -> list[Document]:
    """All containers of a workload's pods, those that run before included."""
    spec = pod_spec(workload)
    return [*spec.get("initContainers", ()), *spec["containers"]]


def settings_text(objects: Iterable[Document]) -> str:
    """The program's settings file, as the pods get it."""
    (found,) = [
        one["data"]["settings.yaml"]
        for one in of_kind(objects, "ConfigMap")
        if one["metadata"]["name"] == f"{RELEASE}-pki-connector"
    ]
    text: str = found
    return text
