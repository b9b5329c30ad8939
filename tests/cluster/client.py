"""kubectl and helm, as an administrator of the cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.patience import SLOWNESS
from tests.support.environments import ROOT

CHART = ROOT / "deploy" / "helm" / "pki-connector"
HELM = Path(sys.executable).with_name("helm")
LONGEST = 600 * SLOWNESS


class Client:
    """Runs both programs; ``folder`` is what Helm keeps."""

    def __init__(self, kubectl: Path, kubeconfig: Path, folder: Path) -> None:
        self._kubectl = kubectl
        self._kubeconfig = kubeconfig
        places = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self._environment |= {name: str(folder / name.lower()) for name in places}

    @property
    def reaching(self) -> tuple[str, str]:
        """The program kubectl, and the file with which it logs in."""
        return str(self._kubectl), str(self._kubeconfig)

    def command(self, *arguments: str) -> tuple[str, ...]:
        """kubectl with these arguments."""
        return (str(self._kubectl), f"--kubeconfig={self._kubeconfig}", *arguments)

    def tried(self, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """kubectl, which may fail."""
        return self._tried(self.command(*arguments), said)

    def kubectl(self, *arguments: str, said: str = "") -> str:
        """kubectl, which has to succeed; what it printed."""
        return _succeeded(self.tried(*arguments, said=said))

    def apply(self, *documents: dict[str, Any]) -> None:
        """Make these objects."""
        self.kubectl("apply", "-f", "-", said=yaml.safe_dump_all(documents))

    def objects(self, namespace: str, *kinds: str) -> list[dict[str, Any]]:
        """All objects of these kinds."""
        asked = ("-n", namespace, "get", ",".join(kinds), "-o", "json")
        found: list[dict[str, Any]] = json.loads(self.kubectl(*asked))["items"]
        return found

    def helm(self, *arguments: str) -> str:
        """Helm, which has to succeed; what it printed."""
        command = (str(HELM), f"--kubeconfig={self._kubeconfig}", *arguments)
        return _succeeded(self._tried(command, ""))

    def _tried(self, command: tuple[str, ...], said: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            input=said,
            timeout=LONGEST,
            env=self._environment,
        )


def _succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"
    return done.stdout
