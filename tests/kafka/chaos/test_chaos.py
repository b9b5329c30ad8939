"""Three processes and three brokers in a storm: nothing is lost, whichever of them dies."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.polling import slowness, until
from connector_testkit.demo.secret_scan import Searcher
from tests.e2e.records import agree
from tests.kafka.chaos import checks, traces
from tests.kafka.chaos.faults import still_up
from tests.kafka.chaos.storm import Storm
from tests.kafka.chaos.world import ChaosWorld

SHORT = 18.0
"""Seconds that the storm lasts by default; `make soak-kafka` has more time."""
SETTLING, FOR_EACH = 90.0, 0.4
"""Seconds that everything may take to come to rest afterwards, and how many more per holder."""


async def test_chaos(
    tmp_path: Path,
    three_brokers: Brokers,
    prefixes: Iterator[str],
    seed: int,
    minutes: float | None,
    holders: int,
) -> None:
    """Killed, stopped and ended processes and killed brokers lose, double and disclose nothing."""
    seconds = SHORT if minutes is None else minutes * 60
    print(f"chaos: --seed {seed} --holders {holders}, {seconds:.0f} s")  # noqa: T201 - to repeat it
    folder, prefix = tmp_path / "stage", next(prefixes)
    async with ChaosWorld(folder, three_brokers, prefix, seed, holders) as world:
        await world.employ()
        storm = Storm(world, seed, seconds)
        await storm.rage()
        print(f"chaos: done {dict(storm.done)}")  # noqa: T201
        async with world.journal as topics:
            await settled(world)
            assert topics.strange == []
            checks.order_was_kept(topics)
            checks.no_version_was_written_twice(topics)
            checks.one_act_at_a_time(topics)
            await checks.every_accepted_event_was_consumed(world)
            await checks.sets_only_grew(world)
            await checks.ledgers_agree_with_states(world)
            await agree(world)
            await every_pod_says_the_same(world)
        await nothing_leaked(world)


async def settled(world: ChaosWorld) -> None:
    """Wait until every post was answered 2xx and every holder is at rest."""
    left: Counter[str] = Counter()

    async def look() -> bool:
        nonlocal left
        await world.journal.refresh()
        left = checks.restless(world)
        left["posts"] = world.posted - len(await checks.accepted(world))
        return not +left

    await world.ca.notifications_idle()
    try:
        within = (SETTLING + FOR_EACH * len(world.actors)) * slowness()
        await until("everything is at rest", look, within=within)
    except TimeoutError as error:
        error.add_note(f"still: {left}")
        checks.no_version_was_written_twice(world.journal)  # the likeliest reason
        raise


async def every_pod_says_the_same(world: ChaosWorld) -> None:
    """Whichever process is asked: status of all holders, and an audit trail that is whole."""
    wanted = {actor.holder for actor in world.actors if world.journal.holder(actor.holder)}
    for pod in world.pods:
        still_up(pod)
        shown = await pod.ask("status", "holder", "--limit", "100000")
        assert {one["key"] for one in shown["items"]} == wanted
        code, said = await pod.tell("audit", "verify")
        assert code == 0, said


async def nothing_leaked(world: ChaosWorld) -> None:
    """No secret is in topics, local tables or logs; what is no secret is found there."""
    shown = Searcher([world.actors[0].holder.encode()])
    assert traces.in_topics(world, shown)
    for pod in world.pods:
        assert await pod.stop() == 0
    searcher = Searcher(await traces.secrets(world))
    assert traces.in_topics(world, searcher) == {}
    assert searcher.in_files(world.written) == {}
