"""An event counts once, on any process, with any owner of its subject."""

from connector.core.events import DeviceEnrolled, Event
from connector.core.journal import PartitionRecord, Positioned, StateRow
from connector.core.model import DAY, SubjectKind, subject_key
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.partition_buffer import FULL
from connector.journal.kafka.topics import LARGEST_RECORD
from connector_testkit.conformance.journal_samples import (
    event,
    holder,
    numbered,
    read_ids,
    refusal,
    some_subjects,
    written,
)
from connector_testkit.demo.polling import until
from tests.kafka.kafka_world import KafkaWorld


async def consumed(journal: KafkaJournal, *new: Event, time: int = 0) -> PartitionRecord:
    """Take partition 0 over, and commit all that is there to be read, at a journal time."""
    record = await journal.take_over(0)
    await journal.append(new)
    found = await journal.read(0, record.position, 10)
    return await written(
        journal, record.model_copy(update={"time": time}), position=found[-1].position
    )


async def test_the_next_owner_knows_what_was_consumed_before(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """The same notification arrives at both processes, before and after the owner changed."""
    (subject,) = some_subjects(other, 1)
    one, two, three = numbered(subject, 3)
    await other.append([one])
    await consumed(world.journal, one, two)
    await world.journal.append([two])
    await other.append([one, two])
    record = await other.take_over(0)
    assert await read_ids(other, 0, record.position) == []
    await world.journal.append([one, three])

    async def only_the_new_one() -> bool:
        found = await read_ids(other, 0, record.position)
        assert found in ([], [three.id])
        return bool(found)

    await until("the new event is read", only_the_new_one)


async def test_ids_leave_a_busy_subject_after_their_retention(world: KafkaWorld) -> None:
    """They go when the subject is written the next time, so that its record does not grow."""
    journal = world.journal
    (subject,) = some_subjects(journal, 1)
    old, young = event(subject, "old", at=1000), event(subject, "young", at=2000)
    record = await consumed(journal, old, young, time=1000)
    row = StateRow(key=subject, state=holder(subject))
    later = record.model_copy(update={"time": 1500 + 7 * DAY})
    record = await written(journal, later, states=[row])
    await journal.append([old, young])
    assert await read_ids(journal, 0, record.position) == [old.id]


async def test_repeats_without_end_do_not_stop_what_comes_behind(world: KafkaWorld) -> None:
    """They take no room in memory: the box of a partition would be full of them otherwise."""
    journal = world.journal
    (subject,) = some_subjects(journal, 1)
    record = await consumed(journal, event(subject))
    for _ in range(3):
        await journal.append([event(subject)] * FULL)
    await journal.append([event(subject, "behind")])
    found: list[str] = []
    for _ in range(10):
        found = await read_ids(journal, 0, record.position)
        if found:
            break
    assert found == [event(subject, "behind").id]


async def test_a_long_backlog_is_read_in_order_and_piece_by_piece(world: KafkaWorld) -> None:
    """More than the process holds in memory at once."""
    journal = world.journal
    (subject,) = some_subjects(journal, 1)
    events = numbered(subject, 3 * FULL)
    await journal.append(events)
    record = await journal.take_over(0)
    seen: list[str] = []
    while len(seen) < len(events):
        found = await journal.read(0, record.position, 100)
        seen += [entry.event.id for entry in found if isinstance(entry, Positioned)]
        record = await written(journal, record, position=found[-1].position)
    assert seen == [one.id for one in events]


async def test_a_brake_without_one_of_its_partitions_is_not_applied_anywhere(
    world: KafkaWorld,
) -> None:
    """All or none: a record that the cluster cannot take keeps the others out, too."""
    journal = world.journal
    brake, broken = (
        event(subject_key("-", SubjectKind.PARTITION, str(number))) for number in (0, 1)
    )
    body = DeviceEnrolled.model_construct(platform="x" * LARGEST_RECORD)
    broken = broken.model_copy(update={"body": body})
    error = await refusal(journal.append([brake, broken]))
    assert error.code == "JRN-015"
    assert await read_ids(journal, 0) == []
    await journal.append([brake])
    assert await read_ids(journal, 0) == [brake.id]
