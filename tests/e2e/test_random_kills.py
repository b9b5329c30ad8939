"""Kill the service at random under load, again and again."""

import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from connector_testkit.demo.people import Actor
from connector_testkit.demo.process_tree import kill_at_once
from tests.e2e.conftest import Start
from tests.e2e.records import agree, every_happening_was_taken, the_newest_came_last
from tests.e2e.world import UPLOAD, World, route

PEOPLE = 6
RENEWALS = 4
"""Maximum number per person, so that a long soak stays a test of kills."""
REQUESTS = 30
"""A kill comes after at most that many more requests to the UEM,"""
LIFE = 1.8
"""or after that many seconds."""
HURRIED, UNHURRIED = "1500ms", "20s"
"""Limits of a hand-over: short, so that what a kill left open is soon closed; and at the end as a
machine needs it that has other work to do, where several at once may well take two seconds."""

pytestmark = pytest.mark.slow


async def test_random_kills(start: Start, kills: int, seed: int) -> None:
    """Processes are killed at any time under load: nothing is lost, the newest set comes last."""
    dice = random.Random(seed)
    world = await start(route(hand_over_limit=HURRIED, hand_over_margin="100ms"))
    people = [await world.person(f"person-{number}") for number in range(PEOPLE)]
    for actor in people:
        await world.enrol(actor)
    done = 0
    while done < kills:
        for kill in dice.sample(KILLS, len(KILLS)):  # so that a few kills are of every kind
            await dice.choice(HAPPENINGS)(world, dice.choice(people))
            await some_requests(world, dice.randrange(REQUESTS))
            done += await kill(world)
    await world.cut(everything=False)
    await world.back(route(hand_over_limit=UNHURRIED))
    await world.ca.notifications_idle()
    await every_happening_was_taken(world)
    for actor in people:
        await world.reads_all(actor)
        await world.completed(actor)
        await the_newest_came_last(world, actor)
    await agree(world)


async def some_requests(world: World, count: int) -> None:
    """Let the service run until the UEM has had that number of requests, or its time is over."""
    seen = 0

    def enough(_: dict[str, object]) -> bool:
        nonlocal seen
        seen += 1
        return seen > count

    newest = max((entry["seq"] for entry in await world.uem.ledger()), default=0)
    with suppress(TimeoutError):
        await world.uem.wait_for("request", enough, since=newest, within=LIFE)


async def another_device(world: World, actor: Actor) -> None:
    await world.enrol(actor)


async def renewal(world: World, actor: Actor) -> None:
    if len(actor.mails) <= RENEWALS:
        await world.ca.renew(actor.name)
        await world.mails(actor)


async def farewell(world: World, actor: Actor) -> None:
    """The oldest of several devices leaves."""
    if len(actor.devices) > 1:
        await world.uem.unenrol(actor.devices.pop(0))


async def no_answer(world: World, _: Actor) -> None:
    """The UEM takes the next set and never says so."""
    await world.uem.fault("apply_reset", path=UPLOAD)


HAPPENINGS = (another_device, renewal, farewell, farewell, no_answer)


async def power_cut(world: World) -> int:
    await world.cut(everything=True)
    await world.back()
    return 1


async def service_alone(world: World) -> int:
    await world.cut(everything=False)
    await world.back()
    return 1


async def forkserver(world: World) -> int:
    kill_at_once(world.family()[1:2])
    return 1


async def hand_over_process(world: World) -> int:
    """One of those that run at the moment, if any."""
    for pid in world.family()[2:3]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return 1
    return 0


KILLS: tuple[Callable[[World], Awaitable[int]], ...] = (
    power_cut,
    service_alone,
    forkserver,
    hand_over_process,
    hand_over_process,
)
