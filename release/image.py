"""``make image``: builds the container image, with docker where its daemon answers, or buildah.

The base image is the Dockerfile's, by the digest that its registry gives now. ``--base debian`` is
for trying it out where no registry is reached (buildah and debootstrap, as root): what it makes is
no release. ``--base NAME`` takes an image as it is. Other arguments are passed on.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from release import base_image, debian_base

TAG = "pki-connector"
DEBIAN = "debian"
LOCAL_BASE = "localhost/pki-connector-base:debian"
DOCKER = ("docker", "build")
BUILDAH = ("buildah", "build", "--layers", "--network", "host")
ISOLATION = {"BUILDAH_ISOLATION": "chroot"}
"""What buildah needs where it may not make control groups, which no step of ours needs."""
PATIENCE = 900


def main(arguments: list[str]) -> int:
    """Build the image.

    Returns:
        The builder's exit code.

    Raises:
        SystemExit: with the reason in one line, when nothing can be built.
    """
    parser = argparse.ArgumentParser(prog="make image", allow_abbrev=False)
    parser.add_argument("--base", default="")
    chosen, others = parser.parse_known_args(arguments)
    if chosen.base == DEBIAN:
        take(debian_base.archive(debian_base.cache()), LOCAL_BASE)
    base = LOCAL_BASE if chosen.base == DEBIAN else chosen.base or base_image.main()
    builder = BUILDAH if chosen.base == DEBIAN or not docker_answers() else DOCKER
    if shutil.which(builder[0]) is None:
        raise SystemExit("image: needs docker with a running daemon, or buildah")
    command = [*builder, *options(base, revision()), "--tag", TAG, *others, "."]
    return subprocess.run(command, check=False, env={**os.environ, **ISOLATION}).returncode


def docker_answers() -> bool:
    """Whether docker is installed and its daemon runs."""
    if shutil.which("docker") is None:
        return False
    asking = ["docker", "version"]
    asked = subprocess.run(asking, check=False, capture_output=True, timeout=60)
    return asked.returncode == 0


def revision() -> str:
    """The commit that is built, marked where the working tree differs from it."""
    describe = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    done = subprocess.run(describe, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def options(base: str, commit: str) -> tuple[str, ...]:
    """The build's arguments, the same for each builder."""
    return "--build-arg", f"PYTHON_IMAGE={base}", "--build-arg", f"REVISION={commit}"


def take(archive: Path, name: str, storage: Mapping[str, str] | None = None) -> None:
    """Make an image of an archived root file system.

    Args:
        archive: a tar file.
        name: what the image is called.
        storage: environment that says where buildah keeps images, if not where it always does.

    Raises:
        SystemExit: buildah failed; what it said.
    """
    container = buildah("from", "scratch", storage=storage)
    buildah("add", "--quiet", container, str(archive), "/", storage=storage)
    buildah("commit", "--quiet", "--rm", container, name, storage=storage)


def buildah(*arguments: str, storage: Mapping[str, str] | None = None) -> str:
    """Run a command of buildah's; what it printed.

    Raises:
        SystemExit: it failed; what it said last.
    """
    done = subprocess.run(
        ["buildah", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **ISOLATION, **(storage or {})},
        timeout=PATIENCE,
    )
    if done.returncode:
        said = "\n".join(f"{done.stdout}{done.stderr}".splitlines()[-15:])
        raise SystemExit(f"image: buildah {arguments[0]} failed:\n{said}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
