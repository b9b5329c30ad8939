"""The ceiling on keys disclosed per hour: over partitions, over processes, and given back."""

from collections.abc import Collection

from hypothesis import example, given
from hypothesis import strategies as st

from connector.core.errors import Family, Fault
from connector.core.facts import Acted, HandedOver
from connector.core.handover import NotSent, Unknown
from connector.core.journal import PartitionRecord
from connector.core.model import Millis, SubjectKey
from connector.core.states import Brakes, Effect, Phase, Running
from connector.worker import brakes
from connector.worker.ceiling import LAG, Ceiling
from connector.worker.share import Owned
from tests.support.clocks import ManualClock
from tests.worker.conftest import HeldEffects, Stage

NOW: Millis = 1_800_000_000_000


class Cluster:
    """Processes that each own a part of the partitions, and hear late of the others' records.

    ``behind``: seconds by which the followers are behind the topic; they know it.
    """

    def __init__(self, split: list[int], limit: int, behind: float = 0.0) -> None:
        self.clock = ManualClock()
        self.behind = behind
        self.split = split
        self.history: list[tuple[float, PartitionRecord]] = []
        self.spent = 0
        self.pods = [self._pod(index, limit) for index in range(len(split))]
        for index, pod in enumerate(self.pods):
            for partition in self.partitions(index):
                pod.committed(PartitionRecord(partition=partition))

    def partitions(self, index: int) -> range:
        first = sum(self.split[:index])
        return range(first, first + self.split[index])

    def _pod(self, index: int, limit: int) -> Ceiling:
        return Ceiling(limit, self._seen, lambda: self._share(index), self.clock.monotonic)

    def _share(self, index: int) -> Owned:
        return self.split[index], sum(self.split)

    async def _seen(self, _own: Collection[int]) -> list[PartitionRecord] | None:
        """Records as they were when the lag began."""
        if self.behind:
            return None
        seen = {}
        for at, record in self.history:
            if at <= self.clock.monotonic() - LAG:
                seen[record.partition] = record
        return list(seen.values())

    async def take(self, index: int, keys: int) -> bool:
        """One hand-over of a process, in the first partition of its own."""
        partition = self.partitions(index)[0]
        if not await self.pods[index].take(partition, keys, NOW):
            return False
        self.spent += keys
        mine = [one for _, one in self.history if one.partition == partition]
        before = mine[-1].brakes if mine else Brakes()
        record = PartitionRecord(partition=partition, brakes=brakes.disclose(before, NOW, keys))
        self.history.append((self.clock.monotonic(), record))
        self.pods[index].committed(record)
        return True


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.integers(1, 300),
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 12), st.integers(0, 900)),
        min_size=1,
        max_size=120,
    ),
)
@example(
    split=[5, 1], limit=6, tries=[(0, 1, 101), (1, 2, 899), (0, 1, 100), (1, 1, 900), (0, 5, 0)]
)
async def test_all_processes_together_keep_to_the_ceiling(
    split: list[int], limit: int, tries: list[tuple[int, int, int]]
) -> None:
    """However late each hears of what the others have just taken."""
    cluster = Cluster(split, limit)
    for index, keys, wait in tries:
        await cluster.take(index % len(split), keys)
        assert cluster.spent <= limit
        cluster.clock.advance(wait)


async def test_nothing_is_taken_while_records_may_be_late() -> None:
    """Three processes whose followers are three seconds behind disclosed 1,236 of 1,000 keys."""
    cluster = Cluster([1, 1, 1], 1000, behind=3.0)
    taken = [await cluster.take(index, 4) for index in range(3)]
    cluster.behind = 0.0
    assert (taken, cluster.spent) == ([False] * 3, 0)
    for _ in range(200):
        for index in range(3):
            while await cluster.take(index, 4):
                pass
        cluster.clock.advance(50)
    assert 100 < cluster.spent <= 1000


async def test_what_one_leaves_another_may_use() -> None:
    """A process that has all the work gets at nearly all of it, share by share."""
    cluster = Cluster([2, 2], 100)
    for _ in range(300):
        await cluster.take(1, 1)
        cluster.clock.advance(250)
    assert cluster.spent > 90


async def test_the_owner_of_everything_knows_every_count() -> None:
    """No share, no waiting: the last key counts, at once and in any partition."""
    cluster = Cluster([3], 5)
    pod = cluster.pods[0]
    assert await pod.take(0, 3, NOW)
    assert not await pod.take(1, 3, NOW), "what is not durable yet counts, too"
    pod.withdrawn(0)
    assert await pod.take(1, 5, NOW)
    spent = PartitionRecord(partition=1, brakes=brakes.disclose(Brakes(), NOW, 5))
    pod.committed(spent)
    assert not await pod.take(2, 1, NOW)


class Ending(HeldEffects):
    """Hand-overs end with an outcome of the test's choice."""

    outcome: NotSent | Unknown | None = None

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        done = await super().act(key, running, deadline)
        if running.effect is Effect.HAND_OVER and self.outcome is not None:
            return HandedOver(running.attempt, self.outcome)
        return done


def fault(code: str = "HND-005") -> Fault:
    return Fault(code=code, family=Family.TRANSIENT)


async def _handed_over(stage: Stage, outcome: NotSent | Unknown) -> int:
    """How many keys count after a hand-over that ended like this."""
    effects = Ending(stage.world)
    effects.outcome = outcome
    stage.effects = effects
    stage.limits = stage.limited(ceiling=1000)
    async with stage.running() as worker:
        await stage.enrol()
        await stage.until(lambda: any(b.effect is Effect.HAND_OVER for b in effects.begun), step=1)
        await stage.until(lambda: _ended(stage), step=1)
        return brakes.disclosed(worker.record.brakes, stage.clock.now())


async def _ended(stage: Stage) -> bool:
    actions = {entry.action for entry in await stage.audited()}
    return bool({"hand_over.not_sent", "hand_over.unknown"} & actions)


async def test_what_was_not_fetched_is_given_back(stage: Stage) -> None:
    """A process that proves to have fetched nothing has disclosed nothing."""
    assert await _handed_over(stage, NotSent(fault=fault())) == 0


async def test_what_may_have_been_fetched_counts(stage: Stage) -> None:
    """One fetched key, or an upload of unknown fate: all of the set is counted."""
    assert await _handed_over(stage, NotSent(fault=fault(), disclosed=1)) == 2


async def test_an_unknown_fate_counts(stage: Stage) -> None:
    """With any time of its own."""
    assert await _handed_over(stage, Unknown(fault=fault("HND-007"))) == 2


async def test_a_set_beyond_the_ceiling_is_told_at_once(stage: Stage) -> None:
    """Two keys can never pass a ceiling of one: the delivery fails with a code, not a deadline."""
    stage.limits = stage.limited(ceiling=1)
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.FAILED)
    trouble = (await stage.delivery()).trouble
    assert trouble is not None
    assert trouble.code == "DLV-009"
    assert Effect.HAND_OVER not in {one.effect for one in stage.effects.begun}
