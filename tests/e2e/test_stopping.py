"""The service is asked to end, or ends, in the middle of an act."""

import pytest

from connector.core.states import CopyState
from tests.e2e.conftest import Start
from tests.e2e.records import agree, uploads
from tests.e2e.states import is_handing_over
from tests.e2e.world import UPLOAD, route
from tests.patience import scaled

pytestmark = pytest.mark.slow


async def test_asked_to_end_it_finishes_what_it_began(start: Start) -> None:
    """SIGTERM waits for the hand-over under way, writes its outcome down, and exits with 0."""
    world = await start(route(hand_over_limit=scaled(8000)))
    alice, bob = await world.person("alice"), await world.person("bob")
    await world.uem.fault("slow", path=UPLOAD, seconds=1.0)
    await world.enrol(alice)
    await world.sees(alice, "hands over", is_handing_over)
    assert await world.connector.stop() == 0
    state = world.journal.holder(alice.holder)
    assert state is not None
    assert state.running is None
    assert state.copy_.state is CopyState.PRESENT
    await world.enrol(bob)
    await world.back()
    await world.all_read()
    assert len(await uploads(world, alice)) == 1
    await agree(world)


async def test_asked_to_end_it_does_not_wait_for_ever(start: Start) -> None:
    """What does not end within the limit is left open, exit code 0, and found by the next start."""
    world = await start({"service": {"drain": "500ms"}} | route(hand_over_limit=scaled(4000)))
    alice = await world.person("alice")
    await world.uem.fault("silent", path=UPLOAD)
    await world.enrol(alice)
    await world.sees(alice, "hands over", is_handing_over)
    assert await world.connector.stop() == 0
    state = world.journal.holder(alice.holder)
    assert state is not None
    assert state.copy_.state is CopyState.PERHAPS
    await world.back()
    await world.reads_all(alice)
    await world.completed(alice)
    await agree(world)


async def test_open_act_is_waited_for(start: Start) -> None:
    """Who finds an act open starts no other before its limit and a margin have passed since."""
    world = await start({"testing": {"crash_at": "handover.sending", "crash_by": "stop"}})
    alice = await world.person("alice")
    await world.enrol(alice)
    await world.halted()
    await world.cut(everything=True)
    await world.back()
    await world.completed(alice)
    entries = [record.entry for record in world.journal.audit()]
    assert any(one.action == "act.outcome_unknown" for one in entries)
    first, second = (one.at for one in entries if one.action == "hand_over.started")
    read_one_after_the_other = 100  # journal time and the clock of the boot, which counts the wait
    assert second - first >= 2_000 + 200 - read_one_after_the_other
    await agree(world)
