"""Kill the real service at every numbered point of the loop, of an act and of the hand-over."""

import asyncio
from typing import Any

import pytest

from connector.crash import POINTS
from connector_testkit.demo.settings_file import changed
from tests.e2e.conftest import Start
from tests.e2e.records import agree, the_newest_came_last
from tests.e2e.world import FAST, World

pytestmark = pytest.mark.slow


AT_THE_START = "loop.after_take_over"


@pytest.mark.parametrize("point", [point for point in POINTS if point != AT_THE_START])
async def test_nothing_is_lost_when_the_service_dies(start: Start, point: str) -> None:
    """Power loss, and the death of the service alone, at each point: all ends as without it.

    That the point is reached is asserted too. One person's certificate is renewed meanwhile.
    """
    async with asyncio.TaskGroup() as group:
        for everything in (True, False):
            world = await start(stopping_at(point))
            group.create_task(dies_once(world, everything=everything))


async def test_nothing_is_lost_when_the_service_dies_at_its_start(start: Start) -> None:
    """It dies a second time, before it has done anything about how it died first."""
    world = await start(stopping_at("handover.sending"))
    alice = await world.person("alice")
    await world.enrol(alice)
    await world.halted()
    await world.cut(everything=True)
    for everything in (True, False):
        world.connector.configure(changed(FAST, stopping_at(AT_THE_START)))
        await world.connector.start()
        await world.halted()
        await world.cut(everything=everything)
    await world.back()
    await world.completed(alice)
    await world.reads_all(alice)
    await the_newest_came_last(world, alice)
    await agree(world)


def stopping_at(point: str) -> dict[str, Any]:
    return {"testing": {"crash_at": point, "crash_by": "stop"}}


async def dies_once(world: World, *, everything: bool) -> None:
    alice, bob = await world.person("alice"), await world.person("bob")
    for actor in (alice, bob):
        await world.enrol(actor)
    await world.halted()
    dead = await world.cut(everything=everything)
    await world.ca.renew("bob")
    await world.mails(bob)
    await world.back()
    await world.outlived(dead)
    await world.ca.notifications_idle()
    await world.all_read()
    for actor in (alice, bob):
        state = await world.completed(actor)
        assert state.running is None
        await the_newest_came_last(world, actor)
    assert await world.uem.copies() == []
    await agree(world)
