"""Both distributions as wheels: what is in them, and what each does without the other."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.test_project import pins

ROOT = Path(__file__).parents[1]
Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of product and test kit, built as a release builds them."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "testkit"):
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--wheel-dir", str(folder), str(project)]
        subprocess.run(command, check=True, timeout=10 * PATIENCE)
    return {path.name.partition("-")[0]: path for path in folder.iterdir()}


@pytest.fixture
def installed(wheels: dict[str, Path], tmp_path: Path) -> Callable[..., Run]:
    """An environment of its own with the requirements and these wheels, and its command."""

    def install(*names: str) -> Run:
        place = tmp_path / "-".join(names)
        venv.create(place)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
        _copy_requirements(packages, "testkit" if len(names) > 1 else "run")
        command = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python")]
        command += ["install", "--quiet", "--no-deps", "--no-index"]
        command += [str(wheels[name]) for name in names]
        subprocess.run(command, check=True, timeout=10 * PATIENCE)

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [str(place / "bin" / "pki-connector"), *arguments]
            return subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                cwd=tmp_path,
                timeout=20 * PATIENCE,
            )

        return run

    return install


def _copy_requirements(packages: Path, lock: str) -> None:
    """What a requirements file has installed here, and nothing else."""
    for name in pins(lock):
        for file in distribution(name).files or ():
            source, target = Path(str(file.locate())), packages / file
            if source.is_file() and target.is_relative_to(packages) and ".." not in file.parts:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def test_the_product_holds_nothing_of_the_test_kit(wheels: dict[str, Path]) -> None:
    """No simulator, suite or demo, and no requirement that only they have."""
    with zipfile.ZipFile(wheels["pki_connector"]) as wheel:
        names = wheel.namelist()
        (record,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = wheel.read(record).decode()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"connector"}
    wanted = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    for name in ("ahocorasick", "standardwebhooks"):
        assert not [line for line in wanted if name in line]


def test_the_product_alone_serves_and_says_where_the_rest_is(
    installed: Callable[..., Run],
) -> None:
    """Without the test kit ``serve`` checks its settings, and ``demo`` says how to get it."""
    run = installed("pki_connector")
    refused = run("serve", "--config", "missing.yaml")
    assert "CFG-" in refused.stderr
    for command in (["demo"], ["simulate", "ca", "--port", "0"]):
        missing = run(*command)
        assert missing.returncode == 1
        assert missing.stderr.strip() == (
            f"pki-connector {command[0]} is in the test kit: pip install 'pki-connector[demo]'"
        )


def test_the_demo_runs_from_both_wheels(installed: Callable[..., Run]) -> None:
    """The whole job, away from the repository."""
    shown = installed("pki_connector", "pki_connector_testkit")("demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
