"""What is in the plain image, and what it says of itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.image.engine import BASE, DEMO, PLAIN, Engine, started
from tests.patience import PATIENCE

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inside(engine: Engine) -> dict[str, Any]:
    """The answer of :mod:`tests.image.inside`."""
    command = started({"--entrypoint": "python", "--network": "none"})
    script = (HERE / "inside.py").read_text()
    done = engine.tried(*command, "--interactive", PLAIN, "-", said=script)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("what", ["compilers", "installers", "wheels", "testkit", "stale"])
def test_the_image_holds_nothing_that_service_does_not_need(
    inside: dict[str, Any], what: str
) -> None:
    """No compiler, no installer, nothing of the test kit, no module that is not compiled."""
    assert inside["modules"] > 1000
    assert inside[what] == []


def test_the_image_says_what_it_is_and_how_it_is_started(engine: Engine) -> None:
    """Labels of the OCI, a user by number, the program itself as entry point."""
    (image,) = json.loads(engine.run("image", "inspect", PLAIN))
    config = image["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): value
              for name, value in config["Labels"].items()}  # fmt: skip
    assert labels["title"] == "pki-connector"
    assert labels["revision"] == "0123abcd"
    assert labels["base.name"] == BASE
    assert labels["version"].count(".") == 2
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["pki-connector"]
    assert config["Cmd"] == ["serve"]
    assert config["StopSignal"] == "SIGTERM"


def test_the_demo_passes_in_a_container_without_rights(engine: Engine) -> None:
    """The whole job on a read-only file system, without capabilities, on loopback alone."""
    command = started({"--network": "none", "--memory": "512m"})
    done = engine.tried(*command, DEMO, within=6 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checks passed" in done.stdout
