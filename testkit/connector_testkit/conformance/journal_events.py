"""Cases of the journal suite: appending, reading and waiting for events."""

import asyncio
import base64

from connector.core.journal import DeadLetter, Journal, Positioned, StateRow
from connector.core.model import DAY, SubjectKind, subject_key
from connector_testkit.conformance.journal_samples import (
    PATIENCE,
    JournalWorld,
    event,
    holder,
    numbered,
    read_ids,
    some_subjects,
    soon,
    take,
    want,
    written,
)


class EventCases:
    """What is appended is there for good, once, in order, and found by who waits for it."""

    async def test_a_known_id_changes_nothing(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        first = event(subject, "same", at=1)
        await take(world, [first], [True])
        await take(world, [first.model_copy(update={"received_at": 2})], [False])
        (entry,) = await world.journal.read(0, 0, 10)
        assert isinstance(entry, Positioned)
        assert entry.event == first

    async def test_new_and_known_ids_come_in_one_call(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        a, b, c = numbered(subject, 3)
        await take(world, [a, b], [True, True])
        await take(world, [b, c, c, a], [False, True, False, False])
        assert await read_ids(world.journal, 0) == [a.id, b.id, c.id]

    async def test_brakes_reach_the_partitions_that_they_name(self, journal: Journal) -> None:
        subjects = [subject_key("-", SubjectKind.PARTITION, str(number)) for number in (0, 1)]
        assert await journal.append([event(subject) for subject in subjects]) == [True, True]
        for number, subject in enumerate(subjects):
            assert await read_ids(journal, number) == [event(subject).id]

    async def test_a_consumed_brake_changes_nothing_again(self, world: JournalWorld) -> None:
        brake = event(subject_key("-", SubjectKind.PARTITION, "0"))
        await world.journal.append([brake])
        (entry,) = await world.journal.read(0, 0, 1)
        await written(world.journal, await world.journal.take_over(0), position=entry.position)
        await world.restart()
        position = (await world.journal.take_over(0)).position
        await take(world, [brake], [False])
        assert await read_ids(world.journal, 0, position) == []

    async def test_appending_nothing_is_harmless(self, journal: Journal) -> None:
        assert await journal.append([]) == []

    async def test_events_are_read_in_the_order_of_their_appends(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        events = numbered(subject, 20)
        for one in events:
            await journal.append([one])
        assert await read_ids(journal, 0) == [one.id for one in events]

    async def test_reading_goes_on_behind_a_position(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        events = numbered(subject, 7)
        await journal.append(events)
        seen: list[str] = []
        position = 0
        while found := await journal.read(0, position, 3):
            assert len(found) <= 3
            seen += [entry.event.id for entry in found if isinstance(entry, Positioned)]
            assert found[-1].position > position
            position = found[-1].position
        assert seen == [one.id for one in events]

    async def test_partitions_do_not_see_each_other(self, journal: Journal) -> None:
        here, there = some_subjects(journal, 1, 0)[0], some_subjects(journal, 1, 1)[0]
        await journal.append([event(here), event(there), event(here, "again")])
        assert await read_ids(journal, 0) == [event(here).id, event(here, "again").id]
        assert await read_ids(journal, 1) == [event(there).id]

    async def test_many_append_at_once(self, journal: Journal) -> None:
        mine = some_subjects(journal, 50)
        async with asyncio.TaskGroup() as tasks:
            for subject in mine:
                tasks.create_task(journal.append(numbered(subject, 3)))
        found = await read_ids(journal, 0)
        assert len(found) == len(set(found)) == 150
        for subject in mine:
            order = [found.index(one.id) for one in numbered(subject, 3)]
            assert order == sorted(order)

    async def test_a_cancelled_caller_leaves_a_whole_journal(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        one = event(subject, "cancelled")
        async with asyncio.TaskGroup() as tasks:
            call = tasks.create_task(journal.append([one]))
            await asyncio.sleep(0)
            call.cancel()
        again = await journal.append([one])
        assert again in ([True], [False])
        assert await read_ids(journal, 0) == [one.id]

    async def test_events_and_ids_survive_a_restart(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        events = numbered(subject, 3)
        await world.journal.append(events)
        await world.restart()
        assert await read_ids(world.journal, 0) == [one.id for one in events]
        await take(world, events, [False] * 3)
        assert await read_ids(world.journal, 0) == [one.id for one in events]

    async def test_a_consumed_id_stays_known(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        one = event(subject, at=0)
        await world.journal.append([one])
        (entry,) = await world.journal.read(0, 0, 1)
        record = await world.journal.take_over(0)
        await written(world.journal, record, position=entry.position)
        await world.journal.tidy(7 * DAY - 1)
        await take(world, [one], [False])
        await world.restart()
        await take(world, [one], [False])
        assert await read_ids(world.journal, 0, entry.position) == []
        await world.journal.take_over(0)
        assert await read_ids(world.journal, 0, entry.position) == []

    async def test_a_consumed_id_stays_known_beside_a_state(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        one, two = numbered(subject, 2)
        record = await world.journal.take_over(0)
        for new in (one, two):
            await world.journal.append([new])
            (entry,) = await world.journal.read(0, record.position, 1)
            row = StateRow(key=subject, state=holder(subject))
            record = await written(world.journal, record, position=entry.position, states=[row])
        record = await written(
            world.journal, record, states=[StateRow(key=subject, state=holder(subject))]
        )
        await world.restart()
        await take(world, [one, two, event(subject, "new")], [False, False, True])
        assert await read_ids(world.journal, 0, record.position) == [event(subject, "new").id]

    async def test_an_event_that_changed_nothing_leaves_its_state(
        self, world: JournalWorld
    ) -> None:
        (subject,) = some_subjects(world.journal, 1)
        state = holder(subject, wants=(want("lane", 5),))
        record = await written(
            world.journal,
            await world.journal.take_over(0),
            states=[StateRow(key=subject, state=state)],
        )
        await world.journal.append([event(subject)])
        (entry,) = await world.journal.read(0, 0, 1)
        await written(world.journal, record, position=entry.position)
        await world.restart()
        assert await world.journal.load([subject]) == {subject: state}
        assert await world.journal.lanes(0) == [("lane", 5)]

    async def test_what_was_not_consumed_is_never_let_go(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject, at=0)])
        await world.journal.tidy(365 * DAY)
        await world.restart()
        assert await read_ids(world.journal, 0) == [event(subject).id]

    async def test_positions_grow_over_a_restart(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject, "before", at=0)])
        (entry,) = await world.journal.read(0, 0, 1)
        record = await world.journal.take_over(0)
        await written(world.journal, record, position=entry.position)
        await world.journal.tidy(365 * DAY)
        await world.restart()
        await world.journal.append([event(subject, "after")])
        assert await read_ids(world.journal, 0, entry.position) == [event(subject, "after").id]

    async def test_an_unreadable_record_is_a_dead_letter(self, world: JournalWorld) -> None:
        before, after = some_subjects(world.journal, 2)
        await world.journal.append([event(before)])
        await world.plant(0, b'{"kind": "from the future"}')
        await world.journal.append([event(after)])
        first, letter, last = await world.journal.read(0, 0, 10)
        assert isinstance(letter, DeadLetter)
        assert (letter.partition, letter.code) == (0, "EVT-005")
        assert base64.b64decode(letter.original) == b'{"kind": "from the future"}'
        assert first.position < letter.position < last.position

    async def test_who_waits_is_woken_by_an_append(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(soon(journal.wait(0, PATIENCE * 10)))
            await asyncio.sleep(0)
            await journal.append([event(subject)])
            await waiting

    async def test_news_from_before_the_wait_count(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        await journal.append([event(subject)])
        await soon(journal.wait(0, PATIENCE * 10))

    async def test_who_waits_is_woken_by_a_round_of_another(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1, 1)
        record = await journal.take_over(0)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(soon(journal.wait(1, PATIENCE * 10)))
            await asyncio.sleep(0)
            await written(journal, record, events=[event(subject)])
            await waiting

    async def test_a_wait_without_news_ends(self, journal: Journal) -> None:
        await soon(journal.wait(0, 0.01))
