"""A journal is copied whole, into another number of partitions, from wherever a try ended."""

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from connector.core.audit import verify
from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.events import Event
from connector.core.journal import Commit, DeadLetterFilter, Positioned, StateRow, StatusFilter
from connector.core.model import partition_of
from connector.core.states import Brakes, HolderState
from connector.journal.copying.contents import contents
from connector.journal.copying.copy import COPIED, FINISHED, copy, standing
from connector.journal.copying.folding import merged
from connector.journal.copying.survey import Survey
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector_testkit.conformance.journal_samples import (
    KEY,
    event,
    holder,
    some_subjects,
    want,
    written,
)
from tests.journal.copied import NOW, ORDER, PER_PARTITION, copied, fill, of_tomorrow

OLD, NEW = 2, 5
MOST_TRIES = 40


class FailingJournal(SqliteJournal):
    """Takes that number of commits and appends, and refuses the next one; None: it takes all."""

    left: int | None = None

    def _count(self) -> None:
        if self.left == 0:
            raise Transient("JRN-001", "writing the journal: enough for this test")
        if self.left is not None:
            self.left -= 1

    async def commit(self, commit: Commit) -> None:
        self._count()
        await super().commit(commit)

    async def append(self, new: Sequence[Event]) -> list[bool]:
        self._count()
        return await super().append(new)


def journal(file: Path, partitions: int) -> FailingJournal:
    lost: list[Permanent] = []
    settings = SqliteSettings(path=file, partitions=partitions)
    return FailingJournal(settings, monotonic=time.monotonic, on_lost=lost.append)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    made = journal(tmp_path / "source.db", OLD)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[FailingJournal]:
    made = journal(tmp_path / "target.db", NEW)
    await made.open()
    yield made
    await made.close()


async def test_a_copy_holds_what_its_source_holds(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """States, ids, unread events, dead letters and brakes, by count and digest."""
    await fill(source)
    found = await copied(source, target)
    assert found == await contents(await Survey.of(target, NOW))
    assert found.states.count == OLD * (PER_PARTITION + 2)
    assert found.ids.count == OLD * PER_PARTITION
    assert found.events.count == OLD * 15
    assert found.letters.count == 2 * OLD - 1


async def test_every_subject_lies_in_its_new_partition_with_what_it_wants(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """Due work is found there, by the owner of that partition."""
    await fill(source)
    await copied(source, target)
    due = [
        (number, row.key)
        for number in range(NEW)
        for row in await target.due(number, "lane", 5, 1000)
    ]
    assert len(due) == OLD * (PER_PARTITION - 1)
    assert all(partition_of(key, NEW) == number for number, key in due)
    assert len({number for number, _ in due}) == NEW


async def test_unread_events_keep_the_order_of_each_subject(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """And what was consumed before does not come again."""
    filled = await fill(source)
    await copied(source, target)
    seen: dict[str, list[str]] = {}
    for number in range(NEW):
        for entry in await target.read(number, 0, 1000):
            assert isinstance(entry, Positioned)
            seen.setdefault(entry.event.subject, []).append(entry.event.id)
    assert seen == filled.unread
    (subject,) = some_subjects(source, 1)
    assert await target.append([event(subject, "consumed", at=NOW)]) == [False]


async def test_acts_that_were_open_are_found_by_the_next_owner(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """With any epochs of the source."""
    for _ in range(9):
        await source.take_over(0)
    await fill(source)
    await copied(source, target)
    found = []
    for number in range(NEW):
        record = await target.take_over(number)
        found += await target.open_acts(number, record.epoch, 10)
    assert len(found) == OLD


async def test_brakes_hold_in_every_new_partition(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """Those of all old ones together, also a pause that no owner had read; disclosed keys once."""
    await fill(source)
    await copied(source, target)
    records = await target.records()
    assert all(one.brakes.all_paused for one in records)
    assert all(one.brakes.routes_paused == {"r0", "r1"} for one in records)
    assert [one.brakes.disclosed for one in records] == [((60_000, 3),), *[()] * (NEW - 1)]
    assert {one.time for one in records} == {NOW}


def test_what_holds_back_one_partition_holds_back_all() -> None:
    """The earliest pause and the latest release count, for no deadline may pass too early."""
    held = [
        Brakes(all_paused=True, paused_since=20, disclosed=((60_000, 1), (120_000, 2))),
        Brakes(routes_paused=frozenset({"a"}), paused_since=10, released_at=5),
        Brakes(routes_paused=frozenset({"b"}), released_at=7, disclosed=((60_000, 4),)),
    ]
    assert merged(held) == Brakes(
        all_paused=True,
        routes_paused=frozenset({"a", "b"}),
        paused_since=10,
        released_at=7,
        disclosed=((60_000, 5), (120_000, 2)),
    )
    assert merged([Brakes(), Brakes(released_at=3)]) == Brakes(released_at=3)


async def test_the_new_chains_begin_with_the_heads_of_the_old_ones(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """Each is whole; acts of people that no owner had read are recorded in the first."""
    await fill(source)
    await copied(source, target)
    heads = [[one.partition, one.audit_count, one.audit_head] for one in await source.records()]
    for record in await target.records():
        trail = [one async for one in target.audit(record.partition)]
        assert list(verify(KEY, record.partition, trail, head=record.audit_head)) == []
        first = trail[0].entry
        assert (first.action, first.details["chains"]) == (COPIED, heads)
        assert first.details["trail"] == ORDER.trail
    actions = [one.entry.action async for one in target.audit(0)]
    folded = ["person.paused", "person.dead_letter_dropped", "person.paused"]
    assert actions == [COPIED, *folded, FINISHED]


async def test_an_interrupted_copy_is_completed(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """Wherever it ended, once more makes it whole; in between nothing says that it is."""
    await fill(source)
    survey = await Survey.of(source, NOW)
    found = await contents(survey)
    ended = []
    for tries in range(MOST_TRIES):
        target.left = tries
        try:
            await copy(survey, found, target, ORDER)
        except ConnectorError:
            ended.append((await target.records())[0].copying)
        else:
            break
    assert NEW * 2 <= len(ended) < MOST_TRIES
    assert set(ended[1:]) == {survey.name}
    target.left = None
    assert await contents(await Survey.of(target, NOW)) == found
    assert not any(one.copying for one in await target.records())
    for record in await target.records():
        trail = [one async for one in target.audit(record.partition)]
        assert list(verify(KEY, record.partition, trail, head=record.audit_head)) == []


async def test_a_finished_copy_is_left_alone(source: SqliteJournal, target: FailingJournal) -> None:
    """Also when the target has been in use since: then what it holds differs, which shows."""
    await fill(source)
    found = await copied(source, target)
    survey = await Survey.of(source, NOW)
    assert await standing(target, survey.name) == "finished"
    before = await target.records()
    assert await copy(survey, found, target, ORDER) == "finished"
    assert await target.records() == before
    (subject,) = some_subjects(target, 1)
    changed = holder(subject, version=9, wants=(want("x", 1),))
    record = await target.take_over(0)
    await written(target, record, states=[StateRow(key=subject, state=changed)])
    assert await contents(await Survey.of(target, NOW)) != found


async def test_a_target_with_something_else_in_it_is_refused(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """States, events, a trail, or the half of another copy."""
    await fill(source)
    (subject,) = some_subjects(target, 1)
    await target.append([event(subject)])
    with pytest.raises(Permanent) as refused:
        await copied(source, target)
    assert refused.value.code == "JRN-008"


async def test_a_source_that_has_moved_on_is_not_mixed_into_a_copy(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """A half-done copy goes on with the same state of the same source only."""
    await fill(source)
    target.left = NEW + 1
    with pytest.raises(Transient):
        await copied(source, target)
    target.left = None
    await written(source, await source.take_over(0))
    with pytest.raises(Permanent) as refused:
        await copied(source, target)
    assert refused.value.code == "JRN-008"


async def test_a_copy_can_be_copied_back(
    source: SqliteJournal, target: FailingJournal, tmp_path: Path
) -> None:
    """Nothing of it was lost on the way, not even the places of letters."""
    await fill(source)
    found = await copied(source, target)
    back = journal(tmp_path / "back.db", OLD)
    await back.open()
    await copied(target, back)
    assert await contents(await Survey.of(back, NOW)) == found
    places = {(one.partition, one.position) for one in await back.dead_letters(DeadLetterFilter())}
    assert len(places) == found.letters.count
    await back.close()


async def test_a_state_is_the_same_but_for_its_owner(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """The epoch of an act that was running means nothing in another journal."""
    await fill(source)
    await copied(source, target)
    ours = await source.status(StatusFilter(limit=1000))
    theirs = await target.status(StatusFilter(limit=1000))
    assert [_ownerless(state) for state in ours] == theirs


def _ownerless(state: object) -> object:
    if isinstance(state, HolderState) and state.running is not None:
        running = state.running.model_copy(update={"epoch": 0})
        return state.model_copy(update={"running": running})
    return state


async def test_a_state_of_another_version_is_copied_as_it_is(
    source: SqliteJournal, target: FailingJournal
) -> None:
    """With what it wants and its open act, so that the version that can read it goes on there."""
    (key,) = some_subjects(source, 1)
    foreign = of_tomorrow(key)
    await written(source, await source.take_over(0), states=[StateRow(key=key, state=foreign)])
    found = await copied(source, target)
    assert found == await contents(await Survey.of(target, NOW))
    assert await target.status(StatusFilter()) == [foreign.model_copy(update={"act_epoch": 0})]
