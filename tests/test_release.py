"""A release is made whole, or not at all and with a reason."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from release.sbom import write
from tests.test_project import ROOT, pins, project_files

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"}
COMMITS = {**WHO, "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project as a repository of its own, with an owner's decisions made."""
    for path in project_files():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    security = tmp_path / "SECURITY.md"
    security.write_text(security.read_text().replace("SECURITY_CONTACT", "security@example.com"))
    git(tmp_path, "init", "--quiet")
    committed(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **COMMITS},
    )
    return done.stdout


def committed(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "everything")


def released(folder: Path, *version: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "release.release", *version],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **COMMITS},
    )


def test_a_release_holds_everything_under_one_version(copy: Path) -> None:
    """Wheels, source archives, SBOM, checksums; the tag has the notes, and the tree is clean."""
    done = released(copy, "1.2.3")
    assert done.returncode == 0, done.stderr
    dist = {path.name for path in (copy / "dist").iterdir()}
    assert dist == {
        "SHA256SUMS",
        "pki-connector-1.2.3.cdx.json",
        "pki_connector-1.2.3-py3-none-any.whl",
        "pki_connector-1.2.3.tar.gz",
        "pki_connector_testkit-1.2.3-py3-none-any.whl",
        "pki_connector_testkit-1.2.3.tar.gz",
    }
    for line in (copy / "dist" / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((copy / "dist" / name).read_bytes()).hexdigest() == digest
    assert git(copy, "status", "--porcelain") == ""
    chart = yaml.safe_load((copy / "deploy/helm/pki-connector/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == ("1.2.3", "1.2.3")
    assert "### Security" in git(copy, "tag", "--list", "--format=%(contents)", "v1.2.3")
    with zipfile.ZipFile(copy / "dist" / "pki_connector_testkit-1.2.3-py3-none-any.whl") as wheel:
        (record,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
        assert "Requires-Dist: pki-connector==1.2.3" in wheel.read(record).decode()


def test_the_sbom_lists_what_runs(tmp_path: Path) -> None:
    """Each requirement of the service with version and hash, and no other; each time the same."""
    file = write(ROOT, tmp_path / "dist")
    first = file.read_bytes()
    assert write(ROOT, tmp_path / "dist").read_bytes() == first
    sbom = json.loads(first)
    listed = {canonicalize_name(one["name"]): one for one in sbom["components"]}
    assert {name: one["version"] for name, one in listed.items()} == pins("run")
    for name, one in listed.items():
        hashes = [entry["hashes"] for entry in one["externalReferences"] if "hashes" in entry]
        assert hashes, name
    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["name"] == "pki-connector"


@pytest.mark.parametrize(
    ("file", "replaced", "version", "reason"),
    [
        ("README.md", ("#", "##"), "1.2.3", "commit or remove first"),
        ("SECURITY.md", ("security@example.com", "SECURITY_CONTACT"), "1.2.3", "placeholder"),
        ("CHANGELOG.md", ("\n- ", "\n* "), "1.2.3", "no entries"),
        ("README.md", ("#", "#"), "one", "is no version"),
        ("README.md", ("#", "#"), "0.0.1", "does not follow"),
    ],
)
def test_an_unfit_release_is_refused_and_changes_nothing(
    copy: Path, file: str, replaced: tuple[str, str], version: str, reason: str
) -> None:
    """The reason is one line, and there is neither commit nor tag."""
    (copy / file).write_text((copy / file).read_text().replace(*replaced))
    if reason != "commit or remove first" and git(copy, "status", "--porcelain"):
        committed(copy)
    before = git(copy, "rev-parse", "HEAD")
    done = released(copy, version)
    assert done.returncode == 1
    assert reason in done.stderr
    assert git(copy, "rev-parse", "HEAD") == before
    assert git(copy, "tag", "--list") == ""
