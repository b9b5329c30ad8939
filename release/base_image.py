"""Prints the base image of the Dockerfile with the digest that its registry gives for it now.

A tag may mean another image tomorrow, so an image is built on a digest. It is read at that moment,
by a program for it that is installed; where none can read it nothing is built. It is never typed
in: a digest in the Dockerfile would be an unchecked claim.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

DOCKERFILE = Path(__file__).parents[1] / "Dockerfile"
NAMED = re.compile(r"^ARG PYTHON_IMAGE=(\S+)$", re.MULTILINE)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
READERS = (
    ("skopeo", "inspect", "--format", "{{.Digest}}", "docker://IMAGE"),
    ("crane", "digest", "IMAGE"),
    ("docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", "IMAGE"),
)
PATIENCE = 60


def main() -> str:
    """The image by name, tag and digest.

    Raises:
        SystemExit: with the reason in one line.
    """
    named = NAMED.search(DOCKERFILE.read_text("utf-8"))
    if named is None or "@" in named[1]:
        raise SystemExit("base image: the Dockerfile must name it by its tag, without a digest")
    reasons = []
    for reader in READERS:
        found = read(reader, named[1])
        if DIGEST.fullmatch(found):
            return f"{named[1]}@{found}"
        reasons.append(f"{reader[0]}: {found}")
    raise SystemExit(f"base image: no digest could be read ({'; '.join(reasons)})")


def read(reader: tuple[str, ...], image: str) -> str:
    """The digest that a program reads, or why it does not."""
    program = shutil.which(reader[0])
    if program is None:
        return "not installed"
    command = [program, *(word.replace("IMAGE", image) for word in reader[1:])]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        return f"exit code {error.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return done.stdout.strip() or "no answer"


if __name__ == "__main__":
    sys.stdout.write(f"{main()}\n")
