"""The programs of a Kubernetes node, built once from their Go modules and kept by version."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from release.debian_base import cache
from tests.patience import SLOWNESS

VERSION = "1.34.4"
MODULE = f"k8s.io/kubernetes@v{VERSION}"
STAGED = f"v0.{VERSION.removeprefix('1.')}"
"""The version of the modules that Kubernetes keeps beside its own, replaced in its own tree."""
NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
ETCD = "go.etcd.io/etcd/server/v3"
"""Kubernetes' tests start it, so that the module knows the version that fits."""
PAUSE = """\
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	<-ends
}
"""
"""What holds the namespaces of a pod."""
LONGEST = 3600 * SLOWNESS


def made() -> Path:
    """The folder with all programs, built if the cache does not have it."""
    folder = cache() / f"kubernetes-{VERSION}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kubernetes-", dir=folder.parent) as work:
        built = Path(work) / "built"
        _kubernetes(Path(work), built)
        _pause(Path(work), built)
        built.rename(folder)
    return folder


def _kubernetes(work: Path, built: Path) -> None:
    described = json.loads(_go("mod", "download", "-json", MODULE, folder=work))
    required = Path(described["GoMod"]).read_text("utf-8")
    staged = sorted(set(re.findall(r"^\s+(k8s\.io/\S+) v0\.0\.0(?:\s|$)", required, re.MULTILINE)))
    lines = ["module node", "go 1.24.0", f"require {MODULE.replace('@', ' ')}"]
    lines += [f"replace {name} => {name} {STAGED}" for name in staged]
    (work / "go.mod").write_text("\n".join(lines), "utf-8")
    stamps = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    flags = " ".join(("-s -w", *(f"-X {name}.gitVersion=v{VERSION}" for name in stamps)))
    options = ("-mod=mod", "-trimpath", "-ldflags", flags, "-o", f"{built}/")
    commands = [f"k8s.io/kubernetes/cmd/{name}" for name in NAMES]
    _go("build", *options, *commands, ETCD, folder=work)
    (built / "server").rename(built / "etcd")


def _pause(work: Path, built: Path) -> None:
    source = work / "pause" / "main.go"
    source.parent.mkdir()
    source.write_text(PAUSE, "utf-8")
    # No C library: there is nothing else in its image.
    options = ("-tags", "netgo,osusergo", "-ldflags", "-s -w", "-o", str(built / "pause"))
    _go("build", *options, str(source), folder=work)


def _go(*arguments: str, folder: Path) -> str:
    """A command of Go's, behind everything else that wants to run; what it printed."""
    done = subprocess.run(
        ["nice", "go", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        env={**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"},
    )
    assert done.returncode == 0, f"go {arguments[0]}: {done.stderr[-4000:]}"
    return done.stdout


def missing() -> str:
    """Why they cannot be built here; nothing when they can, or are there."""
    there = (cache() / f"kubernetes-{VERSION}").exists()
    return "" if there or shutil.which("go") else "not installed: go"


if __name__ == "__main__":
    if not missing():
        made()
