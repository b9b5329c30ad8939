"""``make release VERSION=1.2.3``: wheels, source archives, SBOM and checksums in ``dist/``, tagged.

It refuses on a dirty tree, on a version that does not follow, without entries in the changelog, and
while a placeholder stands where an owner has to decide. Nothing leaves this machine.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

from release import distributions, sbom

ROOT = Path.cwd()
PLACEHOLDERS: Mapping[str, str] = {"SECURITY.md": "SECURITY_CONTACT"}
"""Words in files that the publisher has to replace."""

UNRELEASED = "## Unreleased\n"


def main(wanted: str) -> str:
    """Make the release and say what was made.

    Raises:
        SystemExit: with the reason in one line; then nothing was changed.
    """
    before = _version()
    version = _following(before, wanted)
    _require_clean()
    _require_decisions()
    notes = _notes()
    _write_version(before, version)
    _date_changelog(version)
    _run("git", "commit", "--quiet", "--all", "--message", f"release: {version}")
    files = _build()
    message = f"{version}\n\n{notes}\n"
    _run("git", "tag", "--annotate", "--cleanup=verbatim", f"v{version}", "--message", message)
    return "\n".join([f"v{version}", *files])


def _version() -> Version:
    found = re.search(r'^version = "([^"]+)"$', _read("pyproject.toml"), re.MULTILINE)
    if found is None:
        raise SystemExit("release: pyproject.toml has no version")
    return Version(found[1])


def _following(before: Version, wanted: str) -> Version:
    try:
        version = Version(wanted)
    except InvalidVersion:
        raise SystemExit(f"release: {wanted!r} is no version: say VERSION=1.2.3") from None
    if version < before or f"v{version}" in _run("git", "tag", "--list").split():
        raise SystemExit(f"release: {version} does not follow {before}, or is tagged already")
    return version


def _require_clean() -> None:
    if changed := _run("git", "status", "--porcelain"):
        raise SystemExit(f"release: commit or remove first:\n{changed}")


def _require_decisions() -> None:
    for name, word in PLACEHOLDERS.items():
        if word in _read(name):
            raise SystemExit(f"release: {name} still has the placeholder {word}: put yours there")


def _notes() -> str:
    """What the changelog says of this release."""
    _, found, rest = _read("CHANGELOG.md").partition(UNRELEASED)
    notes = rest.partition("\n## ")[0].strip()
    if not found or "\n- " not in notes:
        raise SystemExit("release: CHANGELOG.md has no entries under Unreleased")
    return notes


def _write_version(before: Version, version: Version) -> None:
    """In both distributions, in what they ask of each other, in the image and in the chart."""
    for name in ("pyproject.toml", "testkit/pyproject.toml"):
        text = _read(name).replace(f'version = "{before}"', f'version = "{version}"')
        text = re.sub(
            rf'("pki-connector[a-z-]*==){re.escape(str(before))}"', rf'\g<1>{version}"', text
        )
        (ROOT / name).write_text(text, "utf-8")
    text = _read("Dockerfile").replace(f"ARG VERSION={before}", f"ARG VERSION={version}")
    (ROOT / "Dockerfile").write_text(text, "utf-8")
    chart = "deploy/helm/pki-connector/Chart.yaml"
    text = re.sub(
        r'^(version: |appVersion: ")[^"\n]+', rf"\g<1>{version}", _read(chart), flags=re.MULTILINE
    )
    (ROOT / chart).write_text(text, "utf-8")


def _date_changelog(version: Version) -> None:
    today = datetime.now(UTC).date().isoformat()
    heading = f"{UNRELEASED}\n## {version} · {today}\n"
    text = _read("CHANGELOG.md").replace(UNRELEASED, heading, 1)
    (ROOT / "CHANGELOG.md").write_text(text, "utf-8")


def _build() -> list[str]:
    """Everything in ``dist/``, by name."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    made = [*distributions.build(ROOT, dist), sbom.write(ROOT, dist)]
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in made]
    (dist / "SHA256SUMS").write_text("".join(lines), "utf-8")
    return [f"dist/{one.name}" for one in sorted(dist.iterdir())]


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1] if len(sys.argv) > 1 else '')}\n")
