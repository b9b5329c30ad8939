"""Two connectors on a real broker: who works, what the others see, and what a pause does."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from connector.core.states import Phase
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.polling import ASK, until
from tests.e2e.leaks import leaks
from tests.e2e.records import the_newest_came_last, uploads
from tests.e2e.states import in_phase, is_handing_over
from tests.e2e.world import ONE, UPLOAD, route
from tests.kafka.pair import PARTITIONS, SESSION, Pair
from tests.patience import SLOWNESS, scaled

PEOPLE = ("alice", "bob", "carol", "dan")


class StartPair(Protocol):
    """Starts a stage that lasts until the end of the test."""

    async def __call__(self, changes: dict[str, Any] | None = None) -> Pair: ...


@pytest.fixture
async def start_pair(
    tmp_path: Path, broker: Brokers, prefixes: Iterator[str]
) -> AsyncIterator[StartPair]:
    worlds: list[Pair] = []
    async with AsyncExitStack() as stack:

        async def started(changes: dict[str, Any] | None = None) -> Pair:
            world = Pair(tmp_path / f"stage-{len(worlds)}", broker, next(prefixes), changes)
            worlds.append(await stack.enter_async_context(world))
            return world

        yield started
        for world in worlds:
            assert await leaks(world) == {}


async def test_every_pod_takes_webhooks_and_answers_for_everybody(start_pair: StartPair) -> None:
    """Any process takes an event, the partition's owner does the work, and both can report it."""
    pair = await start_pair(route(hand_over_limit=scaled(20_000)))
    await pair.join(pair.second)
    await pair.shared()
    for number, name in enumerate(PEOPLE):
        await pair.aim_uem((pair.first, pair.second)[number % 2])
        await pair.enrol(await pair.person(name))
    await pair.all_read()
    for actor in pair.actors:
        for pod in (pair.first, pair.second):
            await pair.at(pod, actor, "completed", in_phase(Phase.COMPLETED))
        assert len(await uploads(pair, actor)) == 1


async def test_a_trail_is_exported_and_cut_at_any_pod(
    start_pair: StartPair, tmp_path: Path
) -> None:
    """The owners cut, whichever process was asked; what is left is whole, and goes on."""
    pair = await start_pair()
    await pair.join(pair.second)
    await pair.shared()
    alice = await pair.person("alice")
    await pair.enrol(alice)
    await pair.at(pair.second, alice, "completed", in_phase(Phase.COMPLETED))
    code, exported = await pair.second.tell("audit", "export", "--output", "json")
    kept = tmp_path / "trail.jsonl"
    kept.write_text(exported)
    lines = len(exported.splitlines())
    assert (code, lines > 0) == (0, True)
    await pair.second.ask("audit", "cut", "--file", str(kept), "--reason", "kept elsewhere")

    async def was_cut() -> bool:
        _, left = await pair.first.tell("audit", "export", "--output", "json")
        return not {*exported.splitlines()} & {*left.splitlines()}

    await until("all owners have cut", was_cut, every=ASK)
    await pair.ca.renew("alice")
    await pair.at(pair.first, alice, "has the new one", lambda state: state.attempt > 1)
    await pair.at(pair.first, alice, "completed", in_phase(Phase.COMPLETED))
    for pod in (pair.first, pair.second):
        assert (await pod.tell("audit", "verify"))[0] == 0


async def test_work_of_a_killed_pod_goes_on(start_pair: StartPair) -> None:
    """After the session timeout, also a hand-over that was under way; newest set last."""
    pair = await start_pair()
    alice = await pair.person("alice")
    await pair.uem.fault("silent", path=UPLOAD)
    await pair.enrol(alice)
    await pair.at(pair.first, alice, "hands over", is_handing_over)
    await pair.first.kill()
    await pair.join(pair.second)
    await pair.ca.renew("alice")
    await pair.aim_ca(pair.second)
    await pair.owns(pair.second, PARTITIONS)
    await pair.at(pair.second, alice, "completed", in_phase(Phase.COMPLETED))
    await pair.reads_all(alice)


async def test_asked_to_end_a_pod_leaves_at_once(start_pair: StartPair) -> None:
    """Its partitions are the other's before a silent process would be missed."""
    pair = await start_pair()
    await pair.join(pair.second)
    await pair.shared()
    assert await pair.first.stop() == 0
    await pair.owns(pair.second, PARTITIONS, within=SESSION - SLOWNESS)


async def test_a_rebalance_interrupts_nothing(start_pair: StartPair) -> None:
    """A pod that joins and goes takes nothing out of the hands of the one that works."""
    pair = await start_pair()
    await pair.owns(pair.first, PARTITIONS)
    people = [await pair.person(name) for name in PEOPLE]
    await pair.uem.fault("slow", path=UPLOAD, seconds=1.2)
    for actor in people:
        await pair.enrol(actor)
    for actor in people[:1]:
        await pair.at(pair.first, actor, "hands over", is_handing_over)
    await pair.join(pair.second)
    await pair.shared()
    for actor in people:
        await pair.at(pair.second, actor, "completed", in_phase(Phase.COMPLETED))
    await pair.all_read()


@pytest.mark.parametrize("with_children", [False, True])
async def test_a_pod_that_slept_before_its_act_does_not_begin_it(
    start_pair: StartPair, *, with_children: bool
) -> None:
    """It committed the hand-over, slept, and another did it with a newer set.

    Nothing is sent to the UEM, and the CA is not asked for anything.
    """
    stop = {"crash_at": "act.before", "crash_pass": 2, "crash_by": "stop"}
    pair = await start_pair({"testing": stop})
    await pair.owns(pair.first, PARTITIONS)
    alice = await pair.person("alice", ONE)
    await pair.enrol(alice)
    await pair.halted()
    pids = pair.family() if with_children else [pair.first.pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await pair.join(pair.second)
    await pair.aim_ca(pair.second)
    await pair.ca.renew("alice")
    await pair.mails(alice)
    await pair.at(pair.second, alice, "completed", in_phase(Phase.COMPLETED))
    before = len(await uploads(pair, alice)), len(await pair.ca.ledger())
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    await pair.shared()
    await pair.reads_all(alice)
    assert (len(await uploads(pair, alice)), len(await pair.ca.ledger())) == before
    await the_newest_came_last(pair, alice)
