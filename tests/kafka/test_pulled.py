"""Positions of feeds on the clustered journal."""

from connector.core.events import Event, SourcePulled
from connector.core.feed import FeedPosition, moved
from connector.core.journal import Positioned
from connector.core.model import DAY
from connector.journal.kafka.partition_buffer import consumed
from connector.worker.pulling import PARTITION
from connector_testkit.conformance.journal_samples import read_ids, written
from tests.kafka.kafka_world import KafkaWorld

FEED = "uem:acme"


def position(number: int, epoch: int) -> Event:
    return Event(
        id=f"position-{number}",
        tenant="-",
        subject=PARTITION,
        source="core",
        received_at=DAY,
        body=SourcePulled(sender=FEED, position=str(number), epoch=epoch),
    )


async def test_a_position_is_a_command_that_the_next_owner_knows(world: KafkaWorld) -> None:
    """It comes ahead of other events, and the record that holds it outlives its owner."""
    journal = world.journal
    record = await journal.take_over(0)
    await journal.append([position(1, record.epoch)])
    await journal.append([position(2, record.epoch)])
    ids = await read_ids(journal, 0, record.position)
    assert ids == ["position-1", "position-2"]
    found = (await journal.commands(0, record.commanded, newest=True)).found
    pulled: dict[str, FeedPosition] = {}
    for one in found:
        assert isinstance(one.event.body, SourcePulled)
        pulled = moved(pulled, one.event.body, one.event.received_at)
    end = found[-1].position
    await written(
        journal, record.model_copy(update={"pulled": pulled, "commands": end}), position=end
    )
    again = await journal.take_over(0)
    assert again.pulled == {FEED: FeedPosition(position="2", epoch=record.epoch, at=DAY)}
    assert again.epoch > record.epoch


def test_ids_of_positions_are_not_remembered() -> None:
    """One comes with every page, and the record of partition 0 must not grow by them."""
    assert consumed([Positioned(position=1, event=position(1, epoch=1))]) == []
