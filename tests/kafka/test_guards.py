"""Three guards keep a former owner's writes out; each stops what the others would let through."""

import pytest

from connector.core.journal import StateRow
from connector.core.model import SubjectKey
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.transactions import Fenced
from connector_testkit.conformance.journal_samples import holder, refusal, some_subjects, written
from connector_testkit.demo.polling import until
from tests.kafka import forging
from tests.kafka.kafka_world import KafkaWorld


async def version_of(journal: KafkaJournal, key: SubjectKey) -> int | None:
    """The version of a subject's state as a process sees it, or None without a state."""
    state = (await journal.load([key])).get(key)
    return None if state is None else state.version


async def seen(journal: KafkaJournal, key: SubjectKey, version: int) -> None:
    """Wait until a process sees a version; what was written before it was looked at by then."""

    async def there() -> bool:
        return await version_of(journal, key) == version

    await until(f"version {version} is seen", there)


async def test_the_broker_refuses_a_former_owner_whose_record_looks_newest(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """Epoch and version are right; only the transactional id shows that it is not the owner."""
    key, _ = some_subjects(world.journal, 2)
    former = forging.transactions(world.options, world.options.names.transactional_id(0))
    await former.start()
    record = await world.journal.take_over(0)
    newest = forging.state(world.options, key, epoch=record.epoch, version=7)
    with pytest.raises(Fenced):
        await former.run([newest])
    await former.close()
    after = await written(
        world.journal, record, states=[StateRow(key=key, state=holder(key, version=1))]
    )
    await seen(other, key, 1)
    assert after.epoch == record.epoch
    await forging.slipped_in(
        world.options, [forging.state(world.options, key, epoch=record.epoch, version=8)]
    )
    await seen(other, key, 8)


async def test_readers_refuse_an_earlier_epoch_whose_version_is_next(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """The record is past the fence, and that version was not written; only the epoch differs."""
    key, marker = some_subjects(world.journal, 2)
    old = await world.journal.take_over(0)
    old = await written(
        world.journal, old, states=[StateRow(key=key, state=holder(key, version=1))]
    )
    new = await world.journal.take_over(0)
    late = forging.state(world.options, key, epoch=old.epoch, version=2)
    genuine = forging.state(world.options, marker, epoch=new.epoch, version=3)
    await forging.slipped_in(world.options, [late, genuine])
    await seen(other, marker, 3)
    assert await version_of(other, key) == 1


async def test_readers_refuse_a_version_that_is_not_newer(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """The record is past the fence and of the owner's own epoch; only the version tells."""
    key, marker = some_subjects(world.journal, 2)
    record = await world.journal.take_over(0)
    for version in (1, 2):
        row = StateRow(key=key, state=holder(key, version=version))
        record = await written(world.journal, record, states=[row])
    late = forging.state(world.options, key, epoch=record.epoch, version=1)
    genuine = forging.state(world.options, marker, epoch=record.epoch, version=3)
    await forging.slipped_in(world.options, [late, genuine])
    await seen(other, marker, 3)
    assert await version_of(other, key) == 2


@pytest.mark.parametrize(("epoch", "version"), [(1, 9), (2, 1)])
async def test_a_restored_process_takes_the_greatest_epoch_and_version(
    world: KafkaWorld, epoch: int, version: int
) -> None:
    """Late records that lie behind the newest one in the topic do not count when it is read."""
    (key,) = some_subjects(world.journal, 1)
    await world.journal.take_over(0)
    record = await world.journal.take_over(0)
    for number in (1, 2):
        row = StateRow(key=key, state=holder(key, version=number))
        record = await written(world.journal, record, states=[row])
    late = forging.state(world.options, key, epoch=epoch, version=version)
    await forging.slipped_in(world.options, [late])
    await world.restart()
    assert await version_of(world.journal, key) == 2


async def test_a_former_owner_is_told_that_he_is_none(
    world: KafkaWorld, other: KafkaJournal
) -> None:
    """The former owner's round changes nothing, and the newer owner's goes through."""
    key, _ = some_subjects(world.journal, 2)
    old = await world.journal.take_over(0)
    new = await other.take_over(0)
    row = StateRow(key=key, state=holder(key, version=1))
    error = await refusal(written(world.journal, old, states=[row]))
    assert error.code == "JRN-003"
    await written(other, new)
    assert await version_of(other, key) is None


async def test_a_former_owner_can_take_over_again(world: KafkaWorld, other: KafkaJournal) -> None:
    """The former owner catches up with what the owner in between has written, and fences it."""
    key, _ = some_subjects(world.journal, 2)
    old = await world.journal.take_over(0)
    between = await other.take_over(0)
    await refusal(written(world.journal, old))
    row = StateRow(key=key, state=holder(key, version=1))
    between = await written(other, between, states=[row])
    again = await world.journal.take_over(0)
    assert again.epoch > between.epoch
    assert await version_of(world.journal, key) == 1
    assert (await refusal(written(other, between))).code == "JRN-003"
    await written(world.journal, again)
