"""Cases of the journal suite: states, what they want, and listings."""

from collections.abc import Sequence

import pytest

from connector.core.errors import Family, Fault
from connector.core.journal import Journal, PartitionRecord, StateRow, StatusFilter
from connector.core.model import SubjectKey, SubjectKind
from connector.core.rows import UnreadableState
from connector.core.states import (
    Copy,
    CopyState,
    Delivery,
    DeviceState,
    DeviceStatus,
    Effect,
    PersonState,
    Phase,
    State,
    Trigger,
)
from connector_testkit.conformance.journal_samples import (
    JournalWorld,
    acting,
    holder,
    refusal,
    some_subjects,
    subjects,
    want,
    written,
)


async def put(
    journal: Journal, record: PartitionRecord, states: Sequence[State]
) -> PartitionRecord:
    """Write states in one round."""
    return await written(
        journal, record, states=[StateRow(key=state.key, state=state) for state in states]
    )


def delivery(phase: Phase, code: str | None = None) -> Delivery:
    """A delivery in a phase, perhaps with a trouble."""
    trouble = Fault(code=code, family=Family.TRANSIENT) if code else None
    return Delivery(
        id="d",
        opened_at=1,
        trigger=Trigger.ENROLMENT,
        phase=phase,
        step=Effect.LOOK_UP,
        due=1,
        deadline=2,
        phase_since=1,
        trouble=trouble,
    )


class StateCases:
    """A state is found again as it was written, when it is due, and by what it is in."""

    @pytest.fixture
    async def record(self, journal: Journal) -> PartitionRecord:
        return await journal.take_over(0)

    @pytest.fixture
    def keys(self, journal: Journal) -> list[SubjectKey]:
        return some_subjects(journal, 6)

    async def test_states_of_each_kind_come_back_equal(self, world: JournalWorld) -> None:
        kinds = list(SubjectKind)[:3]
        device, user, person = (next(subjects(world.journal, 0, kind)) for kind in kinds)
        copy = Copy(state=CopyState.PRESENT, digests=("ab" * 32,), since=5)
        states: dict[SubjectKey, State] = {
            user: holder(user, version=3, copy=copy, delivery=delivery(Phase.PLANNING)),
            device: DeviceState(key=device, holder=user, status=DeviceStatus.ENROLLED),
            person: PersonState(key=person, holders=(user,), wants=(want("x", 1),)),
        }
        await put(world.journal, await world.journal.take_over(0), list(states.values()))
        assert await world.journal.load(list(states)) == states
        await world.restart()
        assert await world.journal.load(list(states)) == states

    async def test_unknown_subjects_are_missing(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        await put(journal, record, [holder(keys[0])])
        assert set(await journal.load(keys)) == {keys[0]}
        assert await journal.load([]) == {}

    async def test_the_newest_state_counts(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        for version in range(3):
            record = await put(journal, record, [holder(keys[0], version=version)])
        assert (await journal.load(keys[:1]))[keys[0]].version == 2

    async def test_a_removed_subject_is_gone(
        self, world: JournalWorld, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        device = next(subjects(world.journal, 0, SubjectKind.DEVICE))
        person = next(subjects(world.journal, 0, SubjectKind.PERSON))
        states: list[State] = [
            holder(keys[0], wants=(want("x", 1),)),
            DeviceState(key=device, wants=(want("x", 1),)),
            PersonState(key=person, wants=(want("x", 1),)),
        ]
        record = await put(world.journal, record, states)
        removed = [StateRow(key=state.key, state=None) for state in states]
        await written(world.journal, record, states=removed)
        await world.restart()
        assert await world.journal.load([keys[0], device, person]) == {}
        assert await world.journal.due(0, "x", 10, 10) == []
        assert await world.journal.lanes(0) == []
        assert await world.journal.counts() == {}

    async def test_the_subjects_of_a_partition_come_page_by_page(
        self, world: JournalWorld, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        """Of each kind, by key, as long as they have a state; those of other partitions do not."""
        device = next(subjects(world.journal, 0, SubjectKind.DEVICE))
        (other,) = some_subjects(world.journal, 1, 1)
        await put(world.journal, await world.journal.take_over(1), [holder(other)])
        states: list[State] = [*map(holder, keys[::-1]), DeviceState(key=device)]
        record = await put(world.journal, record, states)
        await written(world.journal, record, states=[StateRow(key=keys[2], state=None)])
        await world.restart()
        wanted = sorted([device, *keys[:2], *keys[3:]])
        assert await world.journal.subjects(0, "", 4) == wanted[:4]
        assert await world.journal.subjects(0, wanted[3], 4) == wanted[4:]
        assert await world.journal.subjects(0, wanted[-1], 4) == []

    async def test_what_is_due_comes_earliest_first(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        times = (50, 10, 40, 20, 30)
        states = [
            holder(key, wants=(want("x", due),)) for key, due in zip(keys, times, strict=False)
        ]
        await put(journal, record, states)
        assert [one.due for one in await journal.due(0, "x", 40, 10)] == [10, 20, 30, 40]
        assert [one.key for one in await journal.due(0, "x", 40, 2)] == [keys[1], keys[3]]
        assert await journal.due(0, "x", 9, 10) == []

    async def test_lanes_and_partitions_are_due_apart(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        (other,) = some_subjects(journal, 1, 1)
        await put(journal, record, [holder(keys[0], wants=(want("x", 1), want("y", 2)))])
        await put(journal, await journal.take_over(1), [holder(other, wants=(want("x", 3),))])
        assert [one.key for one in await journal.due(0, "x", 9, 9)] == [keys[0]]
        assert [one.due for one in await journal.due(0, "y", 9, 9)] == [2]
        assert [one.key for one in await journal.due(1, "x", 9, 9)] == [other]
        assert await journal.due(1, "y", 9, 9) == []

    async def test_new_wants_replace_the_old(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        record = await put(journal, record, [holder(keys[0], wants=(want("x", 1), want("y", 2)))])
        record = await put(journal, record, [holder(keys[0], wants=(want("y", 7),))])
        assert await journal.lanes(0) == [("y", 7)]
        await put(journal, record, [holder(keys[0])])
        assert await journal.lanes(0) == []

    async def test_two_wants_in_one_lane_name_the_subject_once(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        await put(journal, record, [holder(keys[0], wants=(want("x", 8), want("x", 3)))])
        assert [one.due for one in await journal.due(0, "x", 9, 9)] == [3]

    async def test_each_lane_has_its_earliest_time(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        states = [
            holder(key, wants=(want(f"lane{place % 3}", 100 - place), want("wait", 500)))
            for place, key in enumerate(keys)
        ]
        await put(journal, record, states)
        assert dict(await journal.lanes(0)) == {
            "lane0": 97, "lane1": 96, "lane2": 95, "wait": 500
        }  # fmt: skip
        assert await journal.lanes(1) == []

    async def test_open_acts_of_earlier_owners_are_found(
        self, world: JournalWorld, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        record = await put(world.journal, record, [acting(key, record.epoch) for key in keys[:3]])
        await put(world.journal, record, [holder(keys[3]), holder(keys[0])])
        assert await world.journal.open_acts(0, record.epoch, 10) == []
        await world.restart()
        epoch = (await world.journal.take_over(0)).epoch
        found = await world.journal.open_acts(0, epoch, 10)
        assert {act.key for act in found} == set(keys[1:3])
        first = await world.journal.open_acts(0, epoch, 1)
        assert first == found[:1]
        assert await world.journal.open_acts(0, epoch, 10, first[0].place) == found[1:]
        assert await world.journal.open_acts(1, epoch, 10) == []

    async def test_a_listing_goes_by_key_and_continues(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        others = some_subjects(journal, 2, 1)
        await put(journal, record, [holder(key) for key in reversed(keys)])
        await put(journal, await journal.take_over(1), [holder(key) for key in others])
        every = sorted([*keys, *others])
        seen: list[SubjectKey] = []
        while page := await journal.status(StatusFilter(after=seen[-1] if seen else "", limit=3)):
            seen += [state.key for state in page]
        assert seen == every

    async def test_a_listing_takes_what_fits_the_filter(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        device = next(subjects(journal, 0, SubjectKind.DEVICE))
        planning = holder(keys[0], route="a", delivery=delivery(Phase.PLANNING, "UEM-001"))
        failed = holder(keys[1], route="b", delivery=delivery(Phase.FAILED, "UEM-001"))
        idle = holder(keys[2], route="a")
        await put(journal, record, [planning, failed, idle, DeviceState(key=device)])
        for query, expected in (
            (StatusFilter(phase="failed"), [failed]),
            (StatusFilter(route="a"), [planning, idle]),
            (StatusFilter(code="UEM-001"), [planning, failed]),
            (StatusFilter(code="UEM-001", route="b", phase="planning"), []),
            (StatusFilter(kind="device", phase="unknown"), [DeviceState(key=device)]),
        ):
            assert await journal.status(query) == expected

    async def test_a_state_of_another_version_is_listed_as_it_is_stored(
        self, world: JournalWorld, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        """It hides no other, wants what it wanted, and can be written as it was."""
        foreign = UnreadableState(
            key=keys[1],
            kind="holder",
            phase="of tomorrow",
            route="a",
            code="X-001",
            version=7,
            act_epoch=None,
            state=b'{"member_of_tomorrow":"\xff"}',
            wants=(("lane", 5),),
        )
        rows = [StateRow(key=keys[1], state=foreign), StateRow(key=keys[2], state=holder(keys[2]))]
        await written(world.journal, record, states=rows)
        await world.restart()
        journal = world.journal
        assert await journal.status(StatusFilter()) == [foreign, holder(keys[2])]
        assert await journal.counts() == {("holder", "a", "of tomorrow"): 1, ("holder", "", ""): 1}
        assert [one.key for one in await journal.due(0, "lane", 5, 9)] == [keys[1]]
        assert (await refusal(journal.load([keys[1]]))).code == "EVT-005"

    async def test_a_listing_follows_the_state(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        planning = holder(keys[0], route="a", delivery=delivery(Phase.PLANNING))
        failed = holder(keys[0], route="a", delivery=delivery(Phase.FAILED, "UEM-001"))
        record = await put(journal, record, [planning])
        await put(journal, record, [failed])
        assert await journal.status(StatusFilter(phase="planning")) == []
        assert await journal.status(StatusFilter(phase="failed", code="UEM-001")) == [failed]
        assert await journal.counts() == {("holder", "a", "failed"): 1}

    async def test_subjects_are_counted_by_kind_route_and_phase(
        self, journal: Journal, record: PartitionRecord, keys: list[SubjectKey]
    ) -> None:
        device = next(subjects(journal, 0, SubjectKind.DEVICE))
        person = next(subjects(journal, 0, SubjectKind.PERSON))
        busy = [holder(key, route="a", delivery=delivery(Phase.PLANNING)) for key in keys[:2]]
        await put(
            journal,
            record,
            [*busy, holder(keys[2]), DeviceState(key=device), PersonState(key=person)],
        )
        assert await journal.counts() == {
            ("holder", "a", "planning"): 2,
            ("holder", "", ""): 1,
            ("device", "", "unknown"): 1,
            ("person", "", ""): 1,
        }
