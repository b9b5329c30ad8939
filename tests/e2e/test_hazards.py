"""Hazards of a UEM, two at a time: healthy users are served; no user gets another's keys."""

from collections.abc import Awaitable, Callable
from itertools import combinations

import pytest

from connector_testkit.demo.people import Actor
from connector_testkit.demo.polling import until
from tests.e2e.records import agree, the_newest_came_last, uploads
from tests.e2e.world import World

pytestmark = pytest.mark.slow
Hazard = Callable[[World, Actor], Awaitable[object]]


async def few_requests(world: World, _ill: Actor) -> None:
    """More than ten requests in a second are answered 429."""
    await world.uem.switch(requests_per_second=10)


async def barred(world: World, ill: Actor) -> None:
    """The account may not see one user."""
    await world.uem.fault("forbidden", path=f"system/users/{ill.user}", count=None)


async def partial_searches(world: World, _ill: Actor) -> None:
    """Searches leave a device out, until :func:`over`."""
    await world.uem.switch(search_leaves_out=1)


async def xml(world: World, _ill: Actor) -> None:
    """Errors come in XML, with capital letters."""
    await world.uem.switch(error_format="xml", error_members="ErrorCode")


HAZARDS: tuple[Hazard, ...] = (few_requests, barred, partial_searches, xml)


async def over(world: World) -> None:
    """Let searches be whole again, once some were not."""

    async def searched() -> bool:
        requests = await world.uem.ledger("request")
        return len([one for one in requests if one["path"] == "/mdm/devices/search"]) > 1

    await until("devices are searched", searched)
    await world.uem.switch(search_leaves_out=0)


@pytest.mark.parametrize(
    "pair", list(combinations(HAZARDS, 2)), ids=lambda pair: "-".join(one.__name__ for one in pair)
)
async def test_two_hazards_at_once(world: World, pair: tuple[Hazard, Hazard]) -> None:
    """One user has several devices, one may be barred; the others do not notice."""
    many, ill, *others = [
        await world.person(name) for name in ("alice", "bob", "carol", "dora", "emil")
    ]
    for hazard in pair:
        await hazard(world, ill)
    for actor in (ill, many, many, many, *others):
        await world.enrol(actor)
    if partial_searches in pair:
        await over(world)
    healthy = [many, *others, *([] if barred in pair else [ill])]
    for actor in healthy:
        await world.reads_all(actor)
        await world.completed(actor)
        await the_newest_came_last(world, actor)
    if barred in pair:
        assert not await uploads(world, ill)
    await agree(world)
