"""Put small faults into `connector/core/`, one at a time, and count how many the tests find.

Known programs for this either change every line (hours), or need their own copy of the settings of
pytest; neither draws some by a seed.
"""

import argparse
import difflib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutants.changes import Change, changes

ROOT = Path(__file__).parents[2]
MUTATED = Path("connector/core")
NEEDED = ("connector", "schemas", "tests", "pyproject.toml")
TESTS = (
    "tests/core",
    "tests/settings/test_values.py",
    "tests/worker",
    "tests/operators",
    "tests/journal",
    "tests/schemas",
    "tests/integrations",
)
"""The nearest tests first: most faults are found by them. The last are where records are read."""
FLOOR = 0.9


@dataclass(frozen=True)
class Mutant:
    """One file with one change."""

    file: Path
    before: str
    change: Change

    def __str__(self) -> str:
        return f"{self.file}:{self.change.line}"

    def text(self) -> str:
        """The changed file."""
        return self.change.applied(self.before)

    def diff(self) -> str:
        """What was changed, for a person."""
        before, after = self.before.splitlines(), self.text().splitlines()
        name = str(self.file)
        return "\n".join(difflib.unified_diff(before, after, name, name, n=1, lineterm=""))


class Copies:
    """Copies of the tree, in each of which one mutant is tested at a time."""

    def __init__(self, folder: Path, count: int) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            copy = folder / str(number)
            copy.mkdir()
            for name in NEEDED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, copy / name)
                else:
                    shutil.copy(ROOT / name, copy / name)
            self._free.put(copy)

    def tested(self, mutant: Mutant | None, patience: float | None) -> str:
        """What the tests print if they fail; nothing if they pass.

        Tests that take longer than ``patience`` seconds fail: a fault may make a loop endless.
        """
        copy = self._free.get()
        try:
            if mutant is not None:
                (copy / mutant.file).write_text(mutant.text(), "utf-8")
            return _failures(copy, patience)
        finally:
            if mutant is not None:
                (copy / mutant.file).write_text(mutant.before, "utf-8")
            self._free.put(copy)


def _failures(copy: Path, patience: float | None) -> str:
    # `-m` puts the copy before the installed package.
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", *TESTS]
    command += ["--hypothesis-profile", "mutants", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {patience} s"
    return done.stdout + done.stderr if done.returncode else ""


def drawn(seed: int, count: int) -> list[Mutant]:
    """Mutants of the core; the same for the same seed and sources."""
    every: list[Mutant] = []
    for file in sorted((ROOT / MUTATED).rglob("*.py")):
        before, name = file.read_text("utf-8"), file.relative_to(ROOT)
        every += [Mutant(name, before, change) for change in changes(before)]
    return random.Random(seed).sample(every, count)


def survivors(copies: Copies, mutants: list[Mutant], at_once: int) -> Iterator[Mutant]:
    """Test each; those that no test finds."""
    began = time.monotonic()
    if failures := copies.tested(None, None):
        sys.exit(f"{failures}\nThe tests fail without any change.")
    patience = 60 + 3 * at_once * (time.monotonic() - began)
    with ThreadPoolExecutor(at_once) as pool:
        every = pool.map(lambda mutant: copies.tested(mutant, patience), mutants)
        for mutant, failures in zip(mutants, every, strict=True):
            print("killed  " if failures else "SURVIVED", mutant, flush=True)
            if not failures:
                yield mutant


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    print(f"{given.count} mutants of {MUTATED}, --seed {given.seed}", flush=True)
    with TemporaryDirectory() as folder:
        copies = Copies(Path(folder), given.at_once)
        alive = list(survivors(copies, drawn(given.seed, given.count), given.at_once))
    for mutant in alive:
        print(f"\n{mutant.diff()}")
    killed = given.count - len(alive)
    print(f"\n{killed} of {given.count} mutants killed, --seed {given.seed}")
    sys.exit(killed < FLOOR * given.count)


if __name__ == "__main__":
    main()
