"""The command line in this process, against a real service behind a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.cli.options import World
from connector.cli.root import run
from connector.operators.server import AdminServer
from tests.cli.calls import Asked, Command, Result
from tests.cli.good_settings import write_good
from tests.operators.world import AdminWorld


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run one command line in an environment of its own."""

    def call(*arguments: str, **environment: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            run(arguments, World(environment, lambda: "unique"))
        out, err = capfd.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0, out, err)

    return call


@pytest.fixture
async def ask(tmp_path: Path, command: Command) -> AsyncIterator[Asked]:
    world = AdminWorld(tmp_path)
    await world.open()
    socket = tmp_path / "run" / "admin.sock"
    async with AdminServer(world.service().handlers(), socket):
        yield Asked(world, command, socket)
    await world.journal.close()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_good(tmp_path)
