"""Both distributions as wheels: what is in them, and what each does without the other."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.environments import ROOT, Environment, build_wheel
from tests.test_project import pins

Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of product and test kit, built as a release builds them."""
    folder = tmp_path_factory.mktemp("wheels")
    made = [build_wheel(project, folder) for project in (ROOT, ROOT / "testkit")]
    return {path.name.partition("-")[0]: path for path in made}


@pytest.fixture
def installed(wheels: dict[str, Path], tmp_path: Path) -> Callable[..., Run]:
    """An environment of its own with the requirements and these wheels, and its command."""

    def install(*names: str) -> Run:
        requirements = pins("testkit" if len(names) > 1 else "run")
        chosen = [wheels[name] for name in names]
        environment = Environment(tmp_path / "-".join(names), requirements, chosen)
        return lambda *arguments: environment.run("pki-connector", *arguments, cwd=tmp_path)

    return install


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
