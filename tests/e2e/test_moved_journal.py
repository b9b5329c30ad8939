"""The journal's file is moved away under the running service, and back."""

import aiohttp
import pytest

from connector_testkit.demo.polling import until
from tests.e2e.records import agree
from tests.e2e.world import World

pytestmark = pytest.mark.slow


async def _ready(world: World) -> int:
    port = world.connector.settings["service"]["observe"]["listen"]["port"]
    url = f"http://127.0.0.1:{port}/readyz"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status


async def test_a_moved_journal_is_told_and_nothing_is_acknowledged_into_it(world: World) -> None:
    """503 to senders and probes, no act, a critical condition; all goes on once it is back."""
    alice = await world.person("alice")
    file = world.journal_folder / "journal.sqlite"
    away = file.rename(world.journal_folder / "away")

    async def told() -> bool:
        shown = await world.connector.ask("status")
        conditions = shown["conditions"]
        return bool(conditions and conditions[0]["code"] == "JRN-001")

    await until("status tells it before any notification comes", told)
    assert await _ready(world) == 503
    await world.enrol(alice)

    async def refused() -> bool:
        return any(entry["status"] == 503 for entry in await world.uem.ledger("webhook"))

    await until("a notification is answered 503", refused)
    assert await world.uem.ledger("upload") == []
    away.rename(file)
    await world.reads_all(alice)

    async def ready() -> bool:
        return await _ready(world) == 200

    await until("it is ready again", ready)
    await agree(world)
