"""The printed rights are enough for everything that the journal does, and none is too many."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from connector.core.errors import ConnectorError
from connector.core.journal import DeadLetter, DeadLetterFilter, StateRow
from connector.core.model import SubjectKey
from connector.journal.copying.contents import contents
from connector.journal.copying.survey import Survey
from connector.journal.kafka.acls import acls
from connector.journal.kafka.active_members import require_rest
from connector.journal.kafka.cluster import administration, create, require
from connector.journal.kafka.topics import wanted
from connector.journal.settings import KafkaSettings
from connector_testkit.conformance.journal_samples import chained, event, holder, subjects, written
from connector_testkit.demo.polling import until
from tests.journal.copied import NOW, copied, fill
from tests.journal.sqlite_world import opened as opened_sqlite
from tests.kafka.conftest import single
from tests.kafka.granting import Right, grant, paste, rights
from tests.kafka.guarded import LIMITED, GuardedBrokers, secured
from tests.kafka.kafka_world import KafkaWorld, opened
from tests.patience import PATIENCE

# aiokafka forgets a connection whose making is cancelled, which our impatience does; the collector
# finds it, and it must do so in the test that is to blame.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PRINCIPAL = f"User:{LIMITED}"
NEW = 6
"""Partitions of the wider prefix."""
IMPATIENCE = 4.0
"""Seconds after which what waits for a right that is missing counts as refused."""


@pytest.fixture
def limited(guarded: GuardedBrokers, tmp_path: Path) -> KafkaSettings:
    """Options of a user who may do nothing yet."""
    password = tmp_path / "password"
    password.write_text(guarded.keys.passwords[LIMITED])
    sasl = {"mechanism": "SCRAM-SHA-256", "user": LIMITED, "password_file": str(password)}
    tls = {"ca_file": str(guarded.keys.tls.ca)}
    where = secured(guarded.brokers, "SASL", tls=tls, sasl=sasl)
    return single(guarded.brokers, "unused", **where, append_timeout="2s")


def named(options: KafkaSettings, prefixes: Iterator[str]) -> KafkaSettings:
    """The same with a prefix of its own."""
    return options.model_copy(update={"prefix": next(prefixes)})


async def works(options: KafkaSettings, folder: Path, within: float = PATIENCE) -> None:
    """All that the journal does with the cluster: check, append, own, commit, start again."""
    await require(options)
    world = KafkaWorld(options, folder)
    try:
        async with asyncio.timeout(within):
            await world.journal.open()
            key = await own(world)
            await world.restart()
            assert key in await world.journal.load([key])
    finally:
        await world.journal.close()


async def own(world: KafkaWorld) -> SubjectKey:
    """Take a partition that the group gave, handle an event there, and read what was written."""
    journal = world.journal
    assert await journal.assigned(frozenset()) == frozenset(range(journal.partitions))
    key = next(subjects(journal))
    await journal.append([event(key)])
    record = await journal.take_over(0)
    (entry,) = await journal.read(0, 0, 10)
    letter = DeadLetter(partition=0, position=entry.position, code="EVT-005", original="", at=1)
    await written(
        journal,
        record,
        position=entry.position,
        states=[StateRow(key=key, state=holder(key))],
        audit=chained(record, 1, key),
        events=[event(key, "next")],
        dead_letters=[letter],
    )
    assert [one.sequence async for one in journal.audit(0)] == [1]
    assert len(await journal.dead_letters(DeadLetterFilter())) == 1
    return key


async def refused(options: KafkaSettings, folder: Path) -> bool:
    """Whether something of it does not work."""
    try:
        await works(options, folder, IMPATIENCE)
    except (ConnectorError, TimeoutError, AssertionError):
        gc.collect()
        return True
    return False


async def test_the_printed_commands_are_enough(
    guarded: GuardedBrokers, limited: KafkaSettings, prefixes: Iterator[str], tmp_path: Path
) -> None:
    """Pasted into a shell by an administrator they let the service run, and make the topics."""
    options = named(limited, prefixes)
    assert await refused(options, tmp_path)
    for one in acls(options.names, PRINCIPAL, creator=True):
        await paste(guarded.brokers, one.command(guarded.brokers.bootstrap))
    async with administration(options) as admin:
        await create(admin, wanted(options))
    await works(options, tmp_path)


async def test_none_of_the_rights_is_too_many(
    admin: AIOKafkaAdminClient, limited: KafkaSettings, prefixes: Iterator[str], tmp_path: Path
) -> None:
    """Without any single one of them something does not work."""
    count = len(list(rights(acls(limited.names, PRINCIPAL))))
    superfluous: list[Right] = []

    async def leave_out(place: int) -> None:
        options = named(limited, prefixes)
        some = list(rights(acls(options.names, PRINCIPAL)))
        missing = some.pop(place)
        await create(admin, wanted(options))
        await grant(admin, some)
        await until("the rights hold", lambda: _seen(options, some))
        if not await refused(options, tmp_path):
            superfluous.append(missing)

    async with asyncio.TaskGroup() as group:
        for place in range(count):
            group.create_task(leave_out(place))
    assert superfluous == []


async def _seen(options: KafkaSettings, some: list[Right]) -> bool:
    """Whether the last topic's rights hold; those before it were granted before."""
    topics = [name for one, name, _ in some if one.resource == "topic"]
    async with administration(options) as limited:
        return topics[-1] in await limited.list_topics()


async def test_the_printed_commands_are_enough_to_copy(
    guarded: GuardedBrokers, limited: KafkaSettings, prefixes: Iterator[str], tmp_path: Path
) -> None:
    """From a file to a prefix, and from there to a wider one; and to ask who serves them."""
    small = named(limited, prefixes)
    wide = named(limited, prefixes).model_copy(update={"partitions": NEW})
    assert await refused(wide, tmp_path)
    for options in (small, wide):
        for one in acls(options.names, PRINCIPAL, creator=True):
            await paste(guarded.brokers, one.command(guarded.brokers.bootstrap))
        async with administration(options) as admin:
            await create(admin, wanted(options))
        await require(options)
        await require_rest(options)
    async with opened_sqlite(tmp_path / "journal.db") as embedded:
        await fill(embedded.journal)
        async with opened(small, tmp_path) as first, opened(wide, tmp_path) as second:
            found = await copied(embedded.journal, first.journal)
            assert await copied(first.journal, second.journal) == found
            await second.restart()
            assert await contents(await Survey.of(second.journal, NOW)) == found
