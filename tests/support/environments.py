"""Python environments of their own, with wheels of this repository and what these require.

Nothing is fetched: requirements are copied from the environment that the tests run in.
"""

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


class Environment:
    """An environment at ``place``, made when it is constructed.

    Args:
        place: its folder.
        requirements: names of the packages that are copied into it.
        wheels: what is installed there, without asking for anything else.
    """

    def __init__(self, place: Path, requirements: Iterable[str], wheels: Iterable[Path]) -> None:
        venv.create(place)
        self._place = place
        self._packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
        for name in requirements:
            self._copy(name)
        installing = ("install", "--quiet", "--no-deps", "--no-index", *map(str, wheels))
        self._pip(*installing).check_returncode()

    def conflicts(self) -> str:
        """Requirements that an installed package declares and that are not fulfilled; none: empty.

        An environment without pip is looked at by ours.
        """
        checked = self._pip("check")
        return checked.stdout if checked.returncode else ""

    def program(self, name: str) -> Path:
        """One of its programs."""
        return self._place / "bin" / name

    def run(
        self, program: str, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its programs to the end."""
        return subprocess.run(
            [str(self.program(program)), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=cwd or self._place,
            timeout=20 * PATIENCE,
        )

    def _pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pip", "--python", str(self._place / "bin" / "python")]
        return subprocess.run(
            [*command, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE,
        )

    def _copy(self, name: str) -> None:
        """A package as it is installed here; times stay, so that what was compiled stays valid."""
        for file in distribution(name).files or ():
            source, target = Path(str(file.locate())), self._packages / file
            within = target.is_relative_to(self._packages) and ".." not in file.parts
            if source.is_file() and within:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def build_wheel(project: Path, folder: Path) -> Path:
    """The wheel of a project, built as a release builds it."""
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(project)]
    subprocess.run(command, check=True, timeout=10 * PATIENCE)
    (made,) = set(folder.iterdir()) - before
    return made


def with_all_it_requires(*names: str) -> set[str]:
    """Packages that are installed here, and those that they need, without extras."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in found:
            found.add(name)
            required = map(Requirement, distribution(name).requires or ())
            wanted += [
                one.name for one in required if not one.marker or one.marker.evaluate({"extra": ""})
            ]
    return found
