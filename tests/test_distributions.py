"""Both distributions as they are built: what is in them, and what each does without the other."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from connector_testkit.demo.pod import Pod, Programs
from connector_testkit.demo.settings_file import Addresses, Secrets, settings
from connector_testkit.simulators.tls import issue_tls
from release.distributions import build
from tests.support.environments import ROOT, Environment, build_wheel
from tests.test_project import pins

PRODUCT, TESTKIT = "pki_connector", "pki_connector_testkit"
NOWHERE = Addresses(*["https://127.0.0.1:1"] * 4)
"""Upstreams that are down, which keeps no service from starting."""

Install = Callable[..., Environment]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheels and source archives of product and test kit, built as for a release."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheels(built: list[Path]) -> dict[str, Path]:
    return by_name(built, ".whl")


@pytest.fixture
def installed(wheels: dict[str, Path], tmp_path: Path) -> Install:
    """Makes an environment of its own with these wheels and their requirements."""

    def install(*names: str) -> Environment:
        requirements = pins("testkit" if len(names) > 1 else "run")
        chosen = [wheels[name] for name in names]
        return Environment(tmp_path / "-".join(names), requirements, chosen)

    return install


def by_name(files: list[Path], suffix: str) -> dict[str, Path]:
    return {path.name.partition("-")[0]: path for path in files if path.name.endswith(suffix)}


def ran(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line of an environment."""
    return environment.run("pki-connector", *arguments)


def content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", [PRODUCT, TESTKIT])
def test_a_source_archive_makes_the_same_wheel(
    built: list[Path], wheels: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """It holds everything that its wheel needs, and no other version of it."""
    made = build_wheel(by_name(built, ".tar.gz")[name], tmp_path)
    assert content(made) == content(wheels[name])


def test_the_product_holds_nothing_of_the_test_kit(wheels: dict[str, Path]) -> None:
    """No simulator, suite or demo, and no requirement that only they have."""
    files = content(wheels[PRODUCT])
    (metadata,) = [text.decode() for name, text in files.items() if name.endswith("/METADATA")]
    assert {name.split("/")[0] for name in files if ".dist-info" not in name} == {"connector"}
    wanted = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    for name in ("ahocorasick", "standardwebhooks"):
        assert not [line for line in wanted if name in line]


async def test_the_product_alone_serves(installed: Install, tmp_path: Path) -> None:
    """It starts from its wheel, answers an operator, and ends with exit code 0 when asked to."""
    program = (str(installed(PRODUCT).program("pki-connector")),)
    folder = tmp_path / "service"
    folder.mkdir()
    kept = Secrets(folder / "secrets")
    tls = (folder / "ca", folder / "uem")
    for place in tls:
        issue_tls(place, client="connector")
    document = settings(folder, kept, NOWHERE, tls)
    pod = Pod("the connector", folder, document, Programs(program, program))
    pod.configure({})
    await pod.start()
    try:
        await pod.ready()
        assert (await pod.ask("status"))["partitions"]
    finally:
        code = await pod.stop()
    assert code == 0


def test_the_product_alone_says_where_the_rest_is(installed: Install) -> None:
    """Without the test kit, ``demo`` and ``simulate`` say how to get it."""
    environment = installed(PRODUCT)
    for command in (["demo"], ["simulate", "ca", "--port", "0"]):
        missing = ran(environment, *command)
        assert missing.returncode == 1
        assert missing.stderr.strip() == (
            f"pki-connector {command[0]} is in the test kit: pip install 'pki-connector[demo]'"
        )


def test_the_demo_runs_from_both_wheels(installed: Install) -> None:
    """The whole job, away from the repository."""
    shown = ran(installed(PRODUCT, TESTKIT), "demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
