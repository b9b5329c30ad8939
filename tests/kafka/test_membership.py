"""Processes share the partitions of a group; a rebalance takes only what it gives to another."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.group import LeaveGroupRequest

from connector.core.journal import StateRow
from connector.journal.kafka.journal import KafkaJournal
from connector_testkit.conformance.journal_samples import (
    event,
    holder,
    read_ids,
    refusal,
    some_subjects,
    soon_of,
    written,
)
from connector_testkit.demo.broker import Brokers
from tests.kafka.kafka_world import KafkaWorld

EVERY = frozenset(range(4))


async def halves(first: KafkaJournal, second: KafkaJournal) -> tuple[frozenset[int], ...]:
    """What two members have once each has something."""
    assert await soon_of(first.assigned(frozenset())) == EVERY
    async with asyncio.TaskGroup() as group:
        left = group.create_task(soon_of(first.assigned(EVERY)))
        came = group.create_task(soon_of(second.assigned(frozenset())))
    return left.result(), came.result()


async def test_two_members_share_and_a_leaver_gives_back(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    mine, theirs = await halves(world.journal, other)
    assert len(mine) == len(theirs) == 2
    assert mine | theirs == EVERY
    assert world.journal.share() == other.share() == (2, 4)
    await other.close()
    assert await soon_of(world.journal.assigned(mine)) == EVERY
    assert world.journal.share() == (4, 4)


async def test_what_stays_is_not_interrupted_and_what_goes_is_lost_at_once(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """A kept partition's owner goes on with the epoch, the position and the ids that it had."""
    journal = world.journal
    await soon_of(journal.assigned(frozenset()))
    records = {number: await journal.take_over(number) for number in EVERY}
    for number in EVERY:
        (subject,) = some_subjects(journal, 1, number)
        await journal.append([event(subject)])
        assert len(await journal.read(number, 0, 10)) == 1
    kept, gone = await halves(journal, other)
    for number in sorted(kept):
        (subject,) = some_subjects(journal, 1, number)
        row = StateRow(key=subject, state=holder(subject))
        after = await written(journal, records[number], position=1, states=[row])
        assert after.epoch == records[number].epoch
        await journal.append([event(subject), event(subject, "new")])
        assert await read_ids(journal, number, 1) == [event(subject, "new").id]
    for number in sorted(gone):
        assert (await refusal(written(journal, records[number]))).code == "JRN-003"
        record = await other.take_over(number)
        assert record.epoch == records[number].epoch + 1
        assert record.position == 0
        assert len(await other.read(number, 0, 10)) == 1


async def test_who_was_out_of_the_group_owns_nothing_of_before(
    world: KafkaWorld, broker: Brokers
) -> None:
    """What comes back may have been another's in between, so it must be taken over again."""
    journal = world.journal
    await soon_of(journal.assigned(frozenset()))
    record = await journal.take_over(0)
    await expel(broker, world.options.names.group)
    assert await soon_of(journal.assigned(EVERY)) == frozenset()
    assert await soon_of(journal.assigned(frozenset())) == EVERY
    assert (await refusal(written(journal, record))).code == "JRN-003"
    assert (await journal.take_over(0)).epoch == record.epoch + 1


async def expel(broker: Brokers, group: str) -> None:
    """Have the broker forget the members of a group, as after a silence of theirs."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    client = AIOKafkaClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await client.bootstrap()
    try:
        (answer,) = await admin.describe_consumer_groups([group])
        for member in answer.groups[0][5]:
            await client.send(client.get_random_node(), LeaveGroupRequest(group, member[0]))
    finally:
        await client.close()
        await admin.close()
