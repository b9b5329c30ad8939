"""Many who append at the same moment."""

import asyncio

from connector_testkit.conformance.journal_samples import numbered, read_ids, some_subjects
from tests.kafka.kafka_world import KafkaWorld

CROWD = 300


async def test_a_crowd_that_appends_to_one_partition_is_let_in_in_turn(world: KafkaWorld) -> None:
    """No caller waits until refused while others pass; the event of each is there once."""
    (key,) = some_subjects(world.journal, 1)
    events = numbered(key, CROWD)
    async with asyncio.TaskGroup() as group:
        for event in events:
            group.create_task(world.journal.append([event]))
    await world.journal.take_over(0)
    found: list[str] = []
    while len(found) < CROWD:
        found += await read_ids(world.journal, 0, len(found))
    assert found == [event.id for event in events]
