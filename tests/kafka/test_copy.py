"""Copies into and between Kafka journals, read back from the broker by another process."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from connector.core.audit import verify
from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.events import Event
from connector.core.journal import Commit, Positioned
from connector.journal.copying.contents import contents
from connector.journal.copying.copy import copy
from connector.journal.copying.survey import Survey
from connector.journal.kafka.active_members import require_rest
from connector.journal.kafka.cluster import administration, create
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import KEY, refusal, written
from connector_testkit.demo.broker import Brokers
from tests.journal.copied import NOW, ORDER, copied, fill
from tests.journal.sqlite_world import SqliteWorld
from tests.journal.sqlite_world import opened as opened_sqlite
from tests.kafka.conftest import single
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.patience import PATIENCE

NEW = 6


class FailingJournal(KafkaJournal):
    """Takes that number of commits and appends, and refuses the next one; None: it takes all."""

    left: int | None = None

    def _spend(self) -> None:
        if self.left == 0:
            raise Transient("JRN-001", "writing the journal: enough for this test")
        if self.left is not None:
            self.left -= 1

    async def commit(self, commit: Commit) -> None:
        self._spend()
        await super().commit(commit)

    async def append(self, new: Sequence[Event]) -> list[bool]:
        self._spend()
        return await super().append(new)


@pytest.fixture
async def wider(broker: Brokers, prefixes: Iterator[str]) -> KafkaSettings:
    """Another prefix with more partitions, its topics made and empty."""
    made = single(broker, next(prefixes), partitions=NEW)
    async with administration(made) as admin:
        await create(admin, wanted(made))
    return made


@pytest.fixture
async def target(wider: KafkaSettings, tmp_path: Path) -> AsyncIterator[KafkaWorld]:
    async with opened(wider, tmp_path) as world:
        yield world


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[SqliteWorld]:
    async with opened_sqlite(tmp_path / "journal.db") as world:
        yield world


async def whole(world: KafkaWorld) -> bool:
    """Whether all chains of a journal are."""
    for record in await world.journal.records():
        trail = [one async for one in world.journal.audit(record.partition)]
        head, count = record.audit_head, record.audit_count
        if list(verify(KEY, record.partition, trail, head=head, count=count)):
            return False
    return True


async def test_an_embedded_journal_becomes_a_clustered_one(
    embedded: SqliteWorld, target: KafkaWorld
) -> None:
    """What the brokers hold afterwards is what the file held; order and ids included."""
    filled = await fill(embedded.journal)
    found = await copied(embedded.journal, target.journal)
    await target.restart()
    assert await contents(await Survey.of(target.journal, NOW)) == found
    assert await whole(target)
    seen: dict[str, list[str]] = {}
    for number in range(NEW):
        for entry in await target.journal.read(number, 0, 1000):
            assert isinstance(entry, Positioned)
            seen.setdefault(entry.event.subject, []).append(entry.event.id)
    assert seen == filled.unread


async def test_a_prefix_grows_into_another_one(
    topics: KafkaSettings, target: KafkaWorld, tmp_path: Path
) -> None:
    """With more partitions; the old topics stay as they are."""
    async with opened(topics, tmp_path) as source:
        await fill(source.journal)
        found = await copied(source.journal, target.journal)
        assert await contents(await Survey.of(source.journal, NOW)) == found
    await target.restart()
    assert await contents(await Survey.of(target.journal, NOW)) == found
    assert await whole(target)
    due = [
        row.key
        for number in range(NEW)
        for row in await target.journal.due(number, "lane", 5, 1000)
    ]
    assert len(due) == len(set(due)) > 0


async def test_an_interrupted_copy_is_completed_by_another_process(
    embedded: SqliteWorld, wider: KafkaSettings, tmp_path: Path
) -> None:
    """Each try is a process of its own that gets a little further; nothing comes twice."""
    await fill(embedded.journal)
    survey = await Survey.of(embedded.journal, NOW)
    found = await contents(survey)
    world = KafkaWorld(wider, tmp_path)
    for number, left in enumerate((0, 2, NEW + 1, NEW + 8, 2 * NEW + 4, None)):
        journal = FailingJournal(
            wider,
            local=tmp_path / f"try-{number}.db",
            instance=f"{wider.prefix}-{number}",
            monotonic=time.monotonic,
            on_lost=world.lost.append,
            read_patience=PATIENCE,
        )
        journal.left = left
        await journal.open()
        try:
            await copy(survey, found, journal, ORDER)
        except ConnectorError:
            assert left is not None
        finally:
            await journal.close()
    await world.journal.open()
    assert await contents(await Survey.of(world.journal, NOW)) == found
    assert await whole(world)
    await world.journal.close()


async def test_a_journal_with_members_is_served(target: KafkaWorld) -> None:
    """An owner of partitions is in the group; when it has left, none serves them."""
    await require_rest(target.options)
    await target.journal.assigned(frozenset())
    with pytest.raises(Permanent) as refused:
        await require_rest(target.options)
    assert refused.value.code == "JRN-009"
    await target.journal.close()
    await require_rest(target.options)


async def test_a_process_that_nobody_knows_of_is_fenced(target: KafkaWorld) -> None:
    """Taking all partitions over ends it: what it commits afterwards is refused."""
    forgotten = target.another()
    await forgotten.open()
    record = await forgotten.take_over(0)
    await written(forgotten, record)
    await target.journal.take_over(0)
    after = record.model_copy(update={"commits": record.commits + 2})
    assert (await refusal(forgotten.commit(Commit(record=after)))).code == "JRN-003"
    await forgotten.close()
