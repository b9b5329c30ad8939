"""The example vendor is installed and tested as a third party's would be.

Nothing of this repository is changed for it: an environment of its own holds the wheels of product,
test kit and example, and the example's tests run there, away from the repository.
"""

import ast
import re
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import section
from tests.support.environments import ROOT, Environment, build_wheel, with_all_it_requires
from tests.test_project import pins

EXAMPLE = ROOT / "examples" / "acme"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The three wheels, what they require, and pytest."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "wheels").mkdir()
    wheels = [
        build_wheel(project, folder / "wheels") for project in (ROOT, ROOT / "testkit", EXAMPLE)
    ]
    requirements = pins("testkit").keys() | with_all_it_requires("pytest", "pytest-asyncio")
    return Environment(folder / "environment", sorted(requirements), wheels)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example's tests, without the package: that one is installed."""
    copied = tmp_path / "acme"
    shutil.copytree(EXAMPLE, copied, ignore=shutil.ignore_patterns("acme_connector", "__pycache__"))
    return copied


def test_it_imports_only_what_plug_ins_may_import() -> None:
    """What a third party would copy keeps to the modules that the documentation lists."""
    listed = set(re.findall(r"`(connector[.\w]+)`", section("docs/plugins.md", "What to import")))
    nodes = (
        node
        for path in (EXAMPLE / "acme_connector").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )
    imported = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name.startswith("connector")} <= listed


@pytest.mark.slow
def test_settings_of_the_plug_ins_are_known(environment: Environment) -> None:
    """What it requires is there; what an operator may write appears, with its description."""
    assert environment.conflicts() == ""
    schema = environment.run("pki-connector", "config", "schema")
    assert schema.returncode == 0, schema.stderr
    for text in ("API token of Acme", "/hooks/acme/NAME"):
        assert text in schema.stdout


@pytest.mark.slow
@pytest.mark.parametrize("module", ["test_conformance.py", "test_job.py"])
def test_its_own_tests_pass_where_it_is_installed(
    environment: Environment, example: Path, module: str
) -> None:
    """The conformance suites, and the job with the real service."""
    ran = environment.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/{module}", cwd=example
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout
