"""Limits that two connectors keep together, seen in the ledgers of CA and UEM."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from connector.core.states import Phase
from connector_testkit.demo.broker import Brokers
from connector_testkit.simulators.ca.commands import Operation
from tests.e2e.states import in_phase
from tests.kafka.pair import PARTITIONS, Pair
from tests.patience import PATIENCE

RATE = 4.0
SECOND = timedelta(seconds=1)


class StartPair(Protocol):
    """Starts a stage that lasts until the end of the test, both connectors sharing the work."""

    async def __call__(self, changes: dict[str, Any]) -> Pair: ...


@pytest.fixture
async def start_pair(
    tmp_path: Path, broker: Brokers, prefixes: Iterator[str]
) -> AsyncIterator[StartPair]:
    worlds: list[Pair] = []

    async def started(changes: dict[str, Any]) -> Pair:
        world = Pair(tmp_path / "stage", broker, next(prefixes), changes)
        worlds.append(world)
        await world.__aenter__()
        await world.join(world.second)
        await world.shared()
        return world

    yield started
    for world in worlds:
        await world.__aexit__()


async def enrol_many(pair: Pair, count: int) -> None:
    for number in range(count):
        await pair.enrol(await pair.person(f"person{number}", mails=False))


async def listed(pair: Pair) -> list[Any]:
    """When the CA was asked for a list; each effect there asks for one at the most."""
    return [one.at for one in await pair.ca.ledger() if one.operation is Operation.LIST]


async def fetched(pair: Pair) -> int:
    """How many keys left escrow."""
    ledger = await pair.ca.ledger()
    return sum(one.operation is Operation.FETCH and one.status == 200 for one in ledger)


async def test_a_rate_is_that_of_all_pods_while_partitions_move(start_pair: StartPair) -> None:
    """In no second more than the rate, and one for each pod; one of the two goes meanwhile."""
    pair = await start_pair({"cas": {"acme-ca": {"rate": RATE}}})
    await enrol_many(pair, 10)
    await pair.ca.wait_for(Operation.LIST, 8)
    await pair.aim_uem(pair.second)
    await pair.first.stop()
    await pair.owns(pair.second, PARTITIONS)
    for actor in pair.actors:
        await pair.at(pair.second, actor, "completed", in_phase(Phase.COMPLETED))
    times = await listed(pair)
    assert len(times) >= 20
    most = max(sum(start <= one < start + SECOND for one in times) for start in times)
    assert most <= RATE + 2


async def test_the_ceiling_is_that_of_all_pods(start_pair: StartPair) -> None:
    """Of many people's keys no more leave escrow than an hour allows, over all processes."""
    pair = await start_pair({"worker": {"disclosure_ceiling": 9}})
    await enrol_many(pair, 16)
    for actor in pair.actors:
        await pair.at(pair.first, actor, "is planned", lambda state: state.delivery is not None)

    async def all_wait() -> bool:
        states = [await pair.told(pair.first, actor) for actor in pair.actors]
        phases = Counter(one.delivery.phase for one in states if one and one.delivery)
        return phases[Phase.HANDING_OVER] + phases[Phase.COMPLETED] == len(pair.actors)

    async with asyncio.timeout(PATIENCE):
        while not await all_wait():
            await pair.ca.wait_for(Operation.LIST, 1)
    assert 4 <= await fetched(pair) <= 9


async def test_a_pause_holds_at_every_pod(start_pair: StartPair) -> None:
    """Said to one, obeyed by both: nothing leaves escrow until the other is resumed."""
    pair = await start_pair({})
    await pair.first.ask("pause", "--reason", "incident")
    await enrol_many(pair, 6)
    for actor in pair.actors:
        await pair.at(pair.second, actor, "waits", in_phase(Phase.RECOVERING))
    assert await fetched(pair) == 0
    await pair.second.ask("resume", "--reason", "over")
    for actor in pair.actors:
        await pair.at(pair.first, actor, "completed", in_phase(Phase.COMPLETED))
