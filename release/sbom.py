"""``make sbom``: what the service needs at run time, as CycloneDX, in ``dist/``.

It is made from the file of requirements, which fixes version and hash of each: what is listed is
what gets installed, in the image as well.
"""

import sys
import tomllib
from pathlib import Path

from release.distributions import run


def write(root: Path, dist: Path) -> Path:
    """Write the list; the same requirements give the same bytes.

    Args:
        root: the repository.
        dist: the folder for the file; made if it is not there.

    Raises:
        SystemExit: the generator failed; what it said.
    """
    dist.mkdir(exist_ok=True)
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    file = dist / f"pki-connector-{version}.cdx.json"
    source = ("requirements", "requirements/run.txt", "--pyproject", "pyproject.toml")
    target = ("--output-reproducible", "--output-file", str(file))
    run([sys.executable, "-m", "cyclonedx_py", *source, *target], root)
    return file


if __name__ == "__main__":
    here = Path.cwd()
    sys.stdout.write(f"{write(here, here / 'dist').relative_to(here)}\n")
