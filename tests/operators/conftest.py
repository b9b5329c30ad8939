"""A journal, the operators' service on it, its socket, and a client."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.operators.client import AdminClient
from connector.operators.server import AdminServer
from tests.operators.upstreams import Upstreams, opened
from tests.operators.world import AdminWorld


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    made = AdminWorld(tmp_path)
    await made.open()
    yield made
    await made.journal.close()


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "run" / "admin.sock"


@pytest.fixture
async def client(world: AdminWorld, socket: Path) -> AsyncIterator[AdminClient]:
    """An operator called anna, over the real socket."""
    async with AdminServer(world.service().handlers(), socket), AdminClient(socket, "anna") as made:
        yield made


@pytest.fixture
async def upstreams(tmp_path: Path) -> AsyncIterator[Upstreams]:
    async with opened(tmp_path) as made:
        yield made
