"""The command line as a process of its own."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from connector.operators.server import AdminServer
from tests.operators.world import AdminWorld, holder
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow


async def started(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "connector",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PKI_CONNECTOR_SOCKET": "missing.sock"} | environment,
    )


async def test_the_environment_names_the_socket() -> None:
    """``python -m connector`` takes socket and settings from the environment."""
    process = await started("status")
    out, err = await process.communicate()
    assert (process.returncode, out) == (6, b"")
    assert err.startswith(b"ADM-001")


async def test_a_simulated_ca_runs_until_it_is_stopped(tmp_path: Path) -> None:
    """It says where it listens in one line of JSON, and ends in good order on SIGTERM."""
    process = await started(
        *("simulate", "ca", "--directory", str(tmp_path / "ca")),
        *("--set", "key_algorithm=ec-p256", "--set", "key_pool=1"),
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        ready = json.loads(await process.stdout.readline())
        process.terminate()
        await process.communicate()
    assert ready["ready"] == "ca"
    assert ready["api"].startswith("https://127.0.0.1:")
    assert process.returncode == 0


@pytest.mark.parametrize("form", ["table", "json", "csv"])
async def test_a_name_that_the_terminal_cannot_show_is_escaped(tmp_path: Path, form: str) -> None:
    """An output encoding without the character ends no command; JSON stays JSON."""
    world = AdminWorld(tmp_path)
    await world.open()
    await world.put(holder(name="Jörg Ő"))
    socket = tmp_path / "run" / "admin.sock"
    async with AdminServer(world.service().handlers(), socket):
        process = await started(
            *("status", "holder", "-o", form, "--socket", str(socket)), PYTHONIOENCODING="ascii"
        )
        out, err = await process.communicate()
    await world.journal.close()
    assert (process.returncode, err) == (0, b"")
    if form == "json":
        assert json.loads(out)["items"][0]["name"] == "Jörg Ő"
    else:
        assert rb"J\xf6rg" in out
