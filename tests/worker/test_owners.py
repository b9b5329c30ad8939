"""Partitions that come to a process and go, while it works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connector.core.errors import ConnectorError, Fault, Permanent, Transient
from connector.core.events import DeviceEnrolled
from connector.core.journal import Commit, PartitionRecord
from connector.core.model import SubjectKey, SubjectKind, partition_of, subject_key
from connector.core.states import Effect
from connector.worker.owners import Listeners, Owners, OwnersOptions
from tests.patience import PATIENCE
from tests.worker.conftest import Stage, StubbornJournal

PARTITIONS = 3
QUICK = OwnersOptions(soon=0.01, again=0.01, stopped=0.01, drain=10.0)


class MovingJournal(StubbornJournal):
    """The real journal; which partitions are this process's is the test's to say."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.mine: frozenset[int] = frozenset()
        self.news = asyncio.Event()
        self.taken: list[int] = []
        self.faults: dict[int, ConnectorError] = {}
        self.fenced: set[int] = set()

    def give(self, *partitions: int) -> None:
        """A rebalance: these are this process's from now on."""
        self.mine = frozenset(partitions)
        self.news.set()

    async def assigned(self, known: frozenset[int]) -> frozenset[int]:
        while self.mine == known:
            self.news.clear()
            await self.news.wait()
        return self.mine

    async def take_over(self, partition: int) -> PartitionRecord:
        self.taken.append(partition)
        if partition in self.faults:
            raise self.faults[partition]
        return await super().take_over(partition)

    async def commit(self, commit: Commit) -> None:
        if commit.record.partition in self.fenced:
            self.fenced.discard(commit.record.partition)
            raise Transient("JRN-003", "committing")
        await super().commit(commit)


class Group(Stage):
    """One process of several: a stage whose partitions move."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, PARTITIONS, MovingJournal)
        self.owned: list[int] = []
        self.stopped: list[int] = []
        self.left: list[tuple[int, str]] = []
        self.dutiful = 0

    @property
    def moving(self) -> MovingJournal:
        """The journal, as the one that it is."""
        assert isinstance(self.journal, MovingJournal)
        return self.journal

    def _left(self, partition: int, fault: Fault | None) -> None:
        self.left.append((partition, fault.code if fault else ""))

    async def _duties(self, _record: PartitionRecord) -> None:
        self.dutiful += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.dutiful -= 1

    @asynccontextmanager
    async def owning(self, *partitions: int) -> AsyncIterator[Owners]:
        """Owners at work on these until the block is left."""
        owners = Owners(
            self.journal,
            self.worker,
            duties=self._duties,
            listeners=Listeners(self.owned.append, self.stopped.append, self._left),
            options=QUICK,
        )
        self.moving.give(*partitions)
        async with asyncio.TaskGroup() as group:
            group.create_task(owners.run())
            await self.works_on(owners, *partitions)
            yield owners
            owners.stop()

    @staticmethod
    async def works_on(owners: Owners, *partitions: int) -> None:
        async with asyncio.timeout(PATIENCE):
            await owners.until(lambda owned: owned == set(partitions))

    async def enrol_in(self, partition: int) -> str:
        """A device of a user whose holder and device live in a partition; the user."""
        user = next(user for user in map(str, range(10_000)) if lives(user) == {partition})
        await self.send(device_key(user), DeviceEnrolled(platform="apple"))
        return user


def device_key(user: str) -> SubjectKey:
    return subject_key("acme", SubjectKind.DEVICE, user)


def lives(user: str) -> set[int]:
    """Where a user's device and the user are."""
    kinds = (SubjectKind.DEVICE, SubjectKind.HOLDER)
    return {partition_of(subject_key("acme", kind, user), PARTITIONS) for kind in kinds}


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Group]:
    made = Group(tmp_path)
    await made.journal.open()
    yield made
    await made.journal.close()


async def hand_over_begun(group: Group, owners: Owners, partition: int) -> str:
    """A user's hand-over waits at its start, everything before it is done; the user."""
    group.effects.waiting = frozenset({Effect.HAND_OVER})
    group.effects.door.clear()
    user = await group.enrol_in(partition)

    def begun() -> bool:
        owners.wake()
        return any(running.effect is Effect.HAND_OVER for running in group.effects.begun)

    await group.until(begun)
    return user


async def test_partitions_are_worked_on_while_they_are_assigned(group: Group) -> None:
    """One that comes is taken over, one that goes is dropped, the others are not touched."""
    async with group.owning(0, 1) as owners:
        group.moving.give(1, 2)
        await group.works_on(owners, 1, 2)
        assert group.moving.taken == [0, 1, 2]
        assert group.left == [(0, "")]
    assert group.owned[-1] == 0


async def test_a_rebalance_that_gives_everything_back_touches_nothing(group: Group) -> None:
    """What is assigned again is not taken over again."""
    async with group.owning(0, 1) as owners:
        group.moving.give(0, 1)
        group.moving.give(0, 1, 2)
        await group.works_on(owners, 0, 1, 2)
        assert group.moving.taken == [0, 1, 2]


async def test_a_dropped_partition_ends_what_does_not_upload_yet(group: Group) -> None:
    """Its hand-over is ended, its permits come back; its outcome is discarded."""
    async with group.owning(0, 1) as owners:
        user = await hand_over_begun(group, owners, 0)
        held = group.effects.held
        group.moving.give(1)
        await group.works_on(owners, 1)
        assert group.effects.held == held + 1
        before = await group.holder(user)
        group.effects.door.set()
        await group.until(lambda: len(group.world.uploads) == 1)
        await group.turns(10)
        assert await group.holder(user) == before
        assert all(one.running == 0 for one in group.limits._upstreams.values())


async def test_a_dropped_partition_leaves_the_others_alone(group: Group) -> None:
    """Their hand-overs go on, and what they bring is written down."""
    async with group.owning(0, 1) as owners:
        user = await hand_over_begun(group, owners, 1)
        held = group.effects.held
        group.moving.give(1)
        await group.works_on(owners, 1)
        assert group.effects.held == held
        group.effects.door.set()

        async def written() -> bool:
            owners.wake()
            state = await group.holder(user)
            return state is not None and state.running is None

        await group.until(written)


async def test_a_fenced_partition_is_taken_over_again_while_it_is_assigned(group: Group) -> None:
    """Its memory is forgotten; it begins again after a while, the others go on."""
    async with group.owning(0, 1) as owners:
        group.moving.fenced.add(0)
        await group.enrol_in(0)
        await group.until(lambda: group.moving.taken == [0, 1, 0], step=1)
        await group.works_on(owners, 0, 1)
        assert group.left == [(0, "JRN-003")]


async def test_a_partition_that_cannot_go_on_stops_alone(group: Group) -> None:
    """It is reported with its code until it goes on; the others are served meanwhile."""
    group.moving.faults[1] = Permanent("JRN-007", "partition 1 has records of version 9")
    async with group.owning(0) as owners:
        group.moving.give(0, 1)
        await group.until(lambda: owners.faults, step=1)
        assert {number: fault.code for number, fault in owners.faults.items()} == {1: "JRN-007"}
        assert owners.owned == {0}
        assert group.stopped[-1] == 1
        del group.moving.faults[1]
        await group.works_on(owners, 0, 1)
        assert group.stopped[-1] == 0


async def test_a_lost_journal_ends_everything(group: Group) -> None:
    """No partition goes on without it."""
    group.moving.faults[1] = Permanent("JRN-002", "writing the journal")

    async def losing() -> None:
        async with group.owning(0):
            group.moving.give(0, 1)
            await asyncio.Event().wait()

    with pytest.raises(BaseExceptionGroup) as failed:
        await losing()
    assert failed.group_contains(Permanent, match="JRN-002")


async def test_what_cannot_be_taken_over_now_is_tried_again(group: Group) -> None:
    """A journal that is overloaded at this moment is waited for."""
    group.moving.faults[0] = Transient("JRN-001", "taking over")
    async with group.owning() as owners:
        group.moving.give(0)
        await group.until(lambda: len(group.moving.taken) > 2, step=1)
        assert owners.faults == {}
        del group.moving.faults[0]
        await group.works_on(owners, 0)


async def test_duties_are_done_where_partition_0_is(group: Group) -> None:
    """They end when it goes, and begin when it comes."""
    async with group.owning(0, 1) as owners:
        await group.until(lambda: group.dutiful == 1, step=1)
        group.moving.give(1)
        await group.works_on(owners, 1)
        await group.until(lambda: group.dutiful == 0, step=1)
        group.moving.give(0, 1)
        await group.works_on(owners, 0, 1)
        await group.until(lambda: group.dutiful == 1, step=1)
    assert group.dutiful == 0


async def test_asked_to_end_all_partitions_drain(group: Group) -> None:
    """What was begun is waited for and written down."""
    async with group.owning(0, 1, 2) as owners:
        user = await hand_over_begun(group, owners, 2)
        owners.stop()
        await group.turns(3)
        group.effects.door.set()
    state = await group.holder(user)
    assert state is not None
    assert state.running is None
    assert len(group.world.uploads) == 1
