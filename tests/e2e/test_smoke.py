"""The shortest end-to-end run."""

import aiohttp
import pytest

from connector_testkit.demo.pod import Programs
from connector_testkit.demo.processes import COMMAND
from tests.e2e.conftest import Start
from tests.e2e.records import agree
from tests.e2e.world import THREE, World
from tests.support.measuring import measured

pytestmark = pytest.mark.slow


class MeasuredWorld(World):
    """A stage whose service counts for coverage."""

    def programs(self) -> Programs:
        return Programs(serve=(*measured(), *COMMAND))


@pytest.fixture
async def world(start: Start) -> World:
    return await start(kind=MeasuredWorld)


async def test_old_mail_becomes_readable_on_a_new_device(world: World) -> None:
    """A device that enrols reads all earlier mail; the copy goes, and all records agree."""
    alice = await world.person("alice", THREE)
    await world.enrol(alice)
    await world.reads_all(alice)
    state = await world.completed(alice)
    assert state.copy_.evidence
    assert await world.uem.copies() == []
    await agree(world)


async def test_settings_that_were_read_at_start_count_as_loaded(world: World) -> None:
    """An alert on failed reloads does not fire for a service that has just started."""
    port = world.connector.settings["service"]["observe"]["listen"]["port"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert "pki_connector_config_last_reload_successful 1.0" in await answer.text()
