"""What the UEM counts its retention from, and what is concluded of the copy."""

from datetime import datetime, timedelta

import pytest

from connector.core.states import CopyState
from tests.e2e.conftest import Start
from tests.e2e.records import agree
from tests.e2e.states import has_copy
from tests.e2e.world import World, route

pytestmark = pytest.mark.slow
RETENTION = 3.0


async def purged(world: World) -> datetime:
    """When the UEM purged its only copy, on its clock."""
    entry = await world.uem.wait_for("purge", lambda _: True)
    return datetime.fromisoformat(entry["at"])


async def test_a_copy_is_not_called_gone_while_the_uem_counts_from_the_installation(
    start: Start,
) -> None:
    """The device takes its set when the retention has passed since the upload, or nearly so."""
    late = {"retention_from": "install", "retention": RETENTION, "install_delay": RETENTION - 0.5}
    world = await start(route(retention=f"{RETENTION:.0f}s", retention_from="install"), late)
    alice = await world.person("alice")
    await world.enrol(alice)
    state = await world.completed(alice)
    assert state.copy_.state is CopyState.GONE
    assert state.copy_.gone_at_server is not None
    gone = datetime.fromtimestamp(
        state.copy_.gone_at_server / 1000, tz=(await purged(world)).tzinfo
    )
    assert gone >= await purged(world) - timedelta(seconds=1), "the Date header has whole seconds"
    await world.reads_all(alice)
    await agree(world)


async def test_where_the_uem_keeps_its_copies_none_is_called_gone(start: Start) -> None:
    """The delivery is completed when the devices have their set."""
    world = await start(route(retention_from="kept"), {"retention": None})
    alice = await world.person("alice")
    await world.enrol(alice)
    state = await world.completed(alice)
    assert has_copy(CopyState.PRESENT)(state)
    assert state.delivery is not None
    assert "kept" in (state.delivery.why or "")
    assert (await world.uem.copy(alice.user))["present"]
    assert await world.uem.ledger("purge") == []
    await world.reads_all(alice)
    await agree(world)
