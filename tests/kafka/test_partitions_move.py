"""Partitions change their owner while keys are on their way; the newest set comes last."""

import signal
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import pytest

from connector.core.model import partition_of
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from connector_testkit.demo.process_tree import family, signal_all
from connector_testkit.demo.secret_scan import Searcher
from connector_testkit.simulators.ca.commands import Lie, LieOrder, Operation
from tests.e2e.journal_view import JournalView
from tests.e2e.records import Facts, uploads
from tests.e2e.world import UPLOAD, route
from tests.kafka.pods import PARTITIONS, Pods
from tests.patience import SLOWNESS, scaled

SESSION = 6.0 * SLOWNESS
"""Seconds after which a pod that gives no sign of life loses its partitions."""
STILL = 15
"""That number of looks, one after another, must show the same owners."""
AT_THE_LAST_MOMENT = {"testing": {"crash_at": "handover.sending", "crash_by": "stop"}}
"""The hand-over process stops itself; continued, the next that it does is to upload."""


class Start(Protocol):
    """Starts a stage that lasts until the end of the test."""

    async def __call__(
        self,
        changes: Mapping[str, Any] | None = None,
        first: Mapping[str, Any] | None = None,
        started: int = 2,
    ) -> Pods: ...


@pytest.fixture
async def start(broker: Brokers, prefixes: Iterator[str], tmp_path: Path) -> AsyncIterator[Start]:
    """Each stage ends with a search for secrets in what the pods wrote."""
    worlds: list[Pods] = []
    async with AsyncExitStack() as stack:

        async def started(
            changes: Mapping[str, Any] | None = None,
            first: Mapping[str, Any] | None = None,
            started: int = 2,
        ) -> Pods:
            world = Pods(tmp_path, broker, next(prefixes), changes, first, started)
            worlds.append(await stack.enter_async_context(world))
            return world

        yield started
        for world in worlds:
            searcher = Searcher(await world.planted())
            assert searcher.in_files(world.written) == {}


async def test_a_pod_that_joins_interrupts_nobody(start: Start) -> None:
    """Hand-overs in partitions that come back to their owner run through it exactly once."""
    patient = {"handover": {"parallel": PARTITIONS}} | route(hand_over_limit=scaled(20_000))
    world = await start(patient, AT_THE_LAST_MOMENT, started=1)
    first, second = world.pods
    people = [await world.person_in(frozenset({one}), f"p{one}") for one in range(PARTITIONS)]
    for actor in people:
        await world.enrol(actor)
    children = await world.all_halted(PARTITIONS)
    before = epochs(world.journal)
    await world.join(second)
    await world.shared(first, second)
    stayed = await world.owned(first)
    one, other = [actor for number, actor in enumerate(people) if number in stayed]
    renewed = await world.ca.renew(one.name)
    assert await world.uem.ledger("upload") == []
    signal_all(children, signal.SIGCONT)
    await world.outlived(children)
    signal_all([await world.halted()], signal.SIGCONT)
    await world.uploaded(one, renewed.fingerprint)
    assert [len(await uploads(world, actor)) for actor in (one, other)] == [2, 1]
    await world.newest_last(one)
    after = epochs(world.journal)
    assert {number for number in after if after[number] == before[number]} == stayed


async def test_a_pod_that_is_asked_to_end_finishes_and_leaves(start: Start) -> None:
    """SIGTERM waits for the hand-over; a moment after its end the others have its partitions."""
    world = await start(route(hand_over_limit=scaled(4000)))
    leaving, staying = world.pods
    alice = await world.person_in(await world.owned(leaving), "alice")
    await world.uem.fault("slow", path=UPLOAD, seconds=1.5)
    await world.enrol(alice)
    await world.ca.wait_for(Operation.FETCH, 1)  # the list was compared before
    renewed = await world.ca.renew(alice.name)
    assert await leaving.stop() == 0
    assert len(await uploads(world, alice)) == 1
    await world.shared(staying, within=SESSION / 2)
    await world.uploaded(alice, renewed.fingerprint)
    assert len(await uploads(world, alice)) == 2
    assert world.told("act.outcome_unknown") == []
    await world.newest_last(alice)


async def test_a_pod_that_is_killed_is_missed_soon(start: Start) -> None:
    """Its partitions are served again soon after the session timeout; the act is found open."""
    world = await start(route(hand_over_limit=scaled(2000)))
    killed, staying = world.pods
    alice = await world.person_in(await world.owned(killed), "alice")
    await world.uem.fault("slow", path=UPLOAD, seconds=1.5)
    await world.enrol(alice)
    await world.ca.wait_for(Operation.FETCH, 1)  # the list was compared before
    renewed = await world.ca.renew(alice.name)
    await killed.kill()
    await world.shared(staying, within=2 * SESSION)
    await world.uploaded(alice, renewed.fingerprint)
    assert len(world.told("act.outcome_unknown")) == 1
    await world.newest_last(alice)


async def test_a_pod_that_was_stopped_alone_does_no_harm(start: Start) -> None:
    """Its child ends by its own timer; once awake it is refused, and then works as ever."""
    world = await start()
    stopped, _ = world.pods
    alice = await world.person_in(await world.owned(stopped), "alice")
    await world.ca.lie(LieOrder(lie=Lie.STALL, times=1))
    await world.enrol(alice)
    await world.ca.wait_for(Operation.FETCH, 1)
    child = family(stopped.pid)[-1]
    signal_all([stopped.pid], signal.SIGSTOP)
    renewed = await world.ca.renew(alice.name)
    await world.outlived([child])
    await world.uploaded(alice, renewed.fingerprint)
    signal_all([stopped.pid], signal.SIGCONT)
    await refused(world)
    bob = await world.person_in(await world.owned(stopped), "bob")
    await world.enrol(bob)
    await world.uploaded(bob)
    assert len(await uploads(world, alice)) == 1
    await world.newest_last(alice)


async def test_a_pod_that_was_stopped_with_its_children_does_no_harm(start: Start) -> None:
    """Stopped a moment before it sends, its child sends nothing when it goes on after its limit."""
    world = await start(first=AT_THE_LAST_MOMENT)
    stopped, _ = world.pods
    alice = await world.person_in(await world.owned(stopped), "alice")
    await world.enrol(alice)
    child = await world.halted()
    everybody = family(stopped.pid)
    signal_all(everybody, signal.SIGSTOP)
    renewed = await world.ca.renew(alice.name)
    await world.uploaded(alice, renewed.fingerprint)
    signal_all(everybody, signal.SIGCONT)
    await world.outlived([child])
    await refused(world)
    bob = await world.person_in(await world.owned(stopped), "bob")
    await world.enrol(bob)
    await world.halted()
    assert len(await uploads(world, alice)) == 1
    await world.newest_last(alice)


async def refused(world: Pods) -> None:
    """Wait until the first pod has seen that another owns what it wrote to, and works again.

    What it was given again it has taken over again: both know of the same owners.
    """
    await world.pods[0].line(
        lambda line: line.get("event") == "partition.lost" and line["error_code"] == "JRN-003"
    )
    await world.shared(*world.pods)
    looks: deque[dict[int, int]] = deque(maxlen=STILL)

    async def agreed() -> bool:
        one, other = (epochs(world.tables(pod)) for pod in world.pods)
        looks.append(one)
        return one == other and looks.count(one) == STILL

    await until("both pods know the same owners", agreed)
    await world.shared(*world.pods)


def epochs(view: JournalView) -> dict[int, int]:
    """How often each partition was taken over."""
    return {record.partition: record.epoch for record in view.records()}


async def test_whichever_pod_is_told(start: Start) -> None:
    """Each takes webhooks for every subject and knows all; an id repeated anywhere is nothing."""
    world = await start(route(hand_over_limit=scaled(20_000)))
    leaving, staying = world.pods
    mine = min(await world.owned(leaving))
    people = [await world.person_in(frozenset({one}), f"p{one}") for one in range(PARTITIONS)]
    device = await world.enrol_in(mine, people[0])
    for pod, actor in zip((staying, leaving, staying), people[1:], strict=True):
        await world.aim_uem(pod)
        await world.enrol(actor)
    for actor in people:
        await world.uploaded(actor)
        await world.known_alike(actor)
    (told,) = [one for one in await world.uem.ledger("webhook") if one.get("device") == device]
    for pod in (staying, leaving):
        await told_again(world, told, pod)
    assert await leaving.stop() == 0
    await world.shared(staying)
    await told_again(world, told, staying)
    assert len(world.looked_up(device)) == 1
    assert [len(await uploads(world, actor)) for actor in people] == [1] * PARTITIONS


async def told_again(world: Pods, told: Facts, pod: Pod) -> None:
    """Post an earlier event to this pod again, and wait until its partition was read behind it."""
    device = told["device"]
    await world.aim_uem(pod)
    newest = (await world.uem.ledger())[-1]["seq"]
    await world.uem.post_event(device, EventTime=told["time"])
    answered = await world.uem.wait_for("webhook", lambda _: True, since=newest)
    assert (answered["device"], answered["status"]) == (device, HTTPStatus.OK)
    partition = partition_of(f"acme-uem/device/{device}", PARTITIONS)
    behind = await world.enrol_in(partition, world.actors[-1])

    async def read() -> bool:
        return bool(world.looked_up(behind))

    await until(f"device {behind} is looked up", read)
