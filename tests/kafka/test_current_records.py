"""Records of other owners are as they are now, or it is said that this cannot be known."""

from connector.journal.kafka.journal import KafkaJournal
from connector_testkit.conformance.journal_samples import some_subjects, written
from tests.kafka import forging
from tests.kafka.kafka_world import KafkaWorld, unfinished


async def test_what_another_process_has_just_written_is_there(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    await world.journal.take_over(0)
    theirs = await other.take_over(1)
    for _ in range(20):
        theirs = await written(other, theirs)
        found = await world.journal.current_records([0])
        assert found is not None
        assert found[1].commits == theirs.commits


async def test_while_the_follower_is_behind_nothing_is_said(world: KafkaWorld) -> None:
    """A transaction that another process left open holds it up; one's own partitions never do."""
    (key,) = some_subjects(world.journal, 1, 1)
    record = forging.state(world.options, key, epoch=1, version=1)._replace(partition=1)
    name = f"{world.options.names.transactions}hanging"
    async with unfinished(world.options, name, record):
        assert await world.journal.current_records([0]) is None
        assert await world.journal.current_records(range(world.options.partitions)) is not None
    fence = forging.transactions(world.options, name)
    await fence.start()
    await fence.close()
    assert await world.journal.current_records([]) is not None
