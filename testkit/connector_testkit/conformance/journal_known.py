"""Cases of the journal suite: ids that subjects have consumed, sent and taken over."""

from connector.core.journal import Journal, Positioned
from connector.core.model import DAY
from connector.core.rows import KnownId
from connector_testkit.conformance.journal_samples import (
    JournalWorld,
    event,
    some_subjects,
    written,
)

NOW = 100 * DAY


async def known(journal: Journal) -> set[tuple[str, str, int]]:
    """Everything that is known, as (subject, id, time)."""
    return {(one.subject, one.id, one.at) async for one in journal.known()}


class KnownCases:
    """What a journal knows of consumed events can be carried into another one."""

    async def test_consumed_ids_are_told_with_their_subjects(self, world: JournalWorld) -> None:
        here, other = some_subjects(world.journal, 2)
        events = [event(here, "a", at=NOW), event(other, "b", at=NOW), event(here, "c", at=NOW)]
        await world.journal.append(events)
        found = await world.journal.read(0, 0, 10)
        record = await world.journal.take_over(0)
        record = record.model_copy(update={"time": NOW})
        assert await known(world.journal) == set()
        await written(world.journal, record, position=found[1].position)
        expected = {(one.subject, one.id, one.received_at) for one in events[:2]}
        assert await known(world.journal) == expected
        await world.journal.tidy(NOW + 6 * DAY)
        assert await known(world.journal) == expected
        await world.restart()
        assert await known(world.journal) == expected

    async def test_what_was_consumed_can_be_asked(self, world: JournalWorld) -> None:
        here, other = some_subjects(world.journal, 2)
        first, second = event(here, "a", at=NOW), event(other, "b", at=NOW)
        await world.journal.append([first, second])
        record = await world.journal.take_over(0)
        found = await world.journal.read(0, 0, 10)
        assert not await world.journal.consumed(here, first.id)
        record = record.model_copy(update={"time": NOW})
        await written(world.journal, record, position=found[0].position)
        for _ in range(2):
            assert await world.journal.consumed(here, first.id)
            assert not await world.journal.consumed(other, second.id)
            assert not await world.journal.consumed(here, "never sent")
            await world.restart()

    async def test_ids_that_are_brought_count_as_consumed(self, world: JournalWorld) -> None:
        here, other = some_subjects(world.journal, 2)
        old, new = event(here, "old", at=NOW), event(here, "new", at=NOW)
        ids = [KnownId(subject=here, id=old.id, at=NOW), KnownId(subject=other, id="x", at=NOW)]
        record = await world.journal.take_over(0)
        record = record.model_copy(update={"time": NOW})
        record = await written(world.journal, record, known=ids)
        await written(world.journal, record, known=ids)
        await world.restart()
        assert await known(world.journal) == {(one.subject, one.id, one.at) for one in ids}
        await world.journal.append([old, new])
        record = await world.journal.take_over(0)
        found = await world.journal.read(0, record.position, 10)
        assert [one.event for one in found if isinstance(one, Positioned)] == [new]
