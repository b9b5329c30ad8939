"""The base image of a release is named by a digest that was read, or there is no release."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "release" / "base_image.py"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def program(folder: Path, name: str, script: str) -> None:
    """A program for images that does what a shell script says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def asked(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the script says where only these programs are installed."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(folder)},
    )


@pytest.mark.parametrize("name", ["skopeo", "crane", "docker"])
def test_a_digest_that_was_read_is_given(tmp_path: Path, name: str) -> None:
    """Whichever program is there; the tag stays in the name."""
    program(tmp_path, name, f"echo {DIGEST}")
    done = asked(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    image, _, digest = done.stdout.strip().partition("@")
    assert image.startswith("python:3.")
    assert digest == DIGEST


@pytest.mark.parametrize("script", ["exit 1", "echo", "echo sha256:0123", "echo latest"])
def test_without_a_digest_there_is_no_release(tmp_path: Path, script: str) -> None:
    """A program that fails or answers something else gives none, and nor does no program."""
    program(tmp_path, "skopeo", script)
    done = asked(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("base image: no digest could be read (skopeo: ")
    assert "docker: not installed" in done.stderr


def test_a_reader_that_fails_is_followed_by_the_next(tmp_path: Path) -> None:
    """The first digest counts."""
    program(tmp_path, "skopeo", "exit 1")
    program(tmp_path, "crane", f"echo {DIGEST}")
    assert asked(tmp_path).returncode == 0
