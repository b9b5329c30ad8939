"""``make wheel``: wheels and source archives of product and test kit, in ``dist/``."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECTS = (".", "testkit")


def build(root: Path, dist: Path) -> list[Path]:
    """Build both distributions as they are in the working tree, without fetching anything.

    Args:
        root: the repository.
        dist: where the files go; made if it is not there.

    Returns:
        A wheel and a source archive of each.

    Raises:
        SystemExit: the builder failed; what it said.
    """
    dist.mkdir(exist_ok=True)
    made: list[Path] = []
    for project in PROJECTS:
        before = {path: path.stat().st_mtime_ns for path in dist.iterdir()}
        run([sys.executable, "-m", "hatchling", "build", "--directory", str(dist)], root / project)
        made += (path for path in dist.iterdir() if before.get(path) != path.stat().st_mtime_ns)
    return sorted(made)


def run(command: Sequence[str], folder: Path) -> None:
    """Run a program of the build to its end, silently.

    Raises:
        SystemExit: it failed; what it said.
    """
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    here = Path.cwd()
    for file in build(here, here / "dist"):
        sys.stdout.write(f"{file.relative_to(here)}\n")
