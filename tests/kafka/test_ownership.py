"""Owners on a real broker: what moves with a partition, and what a fence does."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connector.core.errors import Fault
from connector.core.events import Event, Paused
from connector.core.journal import PartitionRecord
from connector.core.metrics import NoMetrics
from connector.core.model import DAY, HOUR, SubjectKind, subject_key
from connector.core.secret import Credential
from connector.crash import never
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings
from connector.wiring.clock import MachineClock
from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions
from connector.worker.owners import Listeners, Owners, OwnersOptions
from connector.worker.server_dates import ServerDates
from connector.worker.upstream_limits import UpstreamLimits
from connector_testkit.simulators.instant import InstantEffects, InstantWorld
from tests.patience import PATIENCE

QUICK = OwnersOptions(soon=0.1, again=1.0, drain=5.0)


class Member:
    """What one process is: a journal, and the owners of what it is given."""

    def __init__(self, options: KafkaSettings, folder: Path) -> None:
        self.clock = MachineClock()
        self.dutiful = asyncio.Event()
        self.left: list[tuple[int, str]] = []
        instance = secrets.token_hex(4)
        self.journal = KafkaJournal(
            options,
            local=folder / f"local-{instance}.db",
            instance=instance,
            monotonic=self.clock.monotonic,
            on_lost=lambda _fault: None,
        )
        self.owners = Owners(
            self.journal,
            self.worker,
            duties=self._duties,
            listeners=Listeners(left=self._left),
            options=QUICK,
        )

    def _left(self, partition: int, fault: Fault | None) -> None:
        self.left.append((partition, fault.code if fault else ""))

    async def _duties(self, _record: PartitionRecord) -> None:
        self.dutiful.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.dutiful.clear()

    def worker(self, partition: int) -> PartitionWorker:
        return PartitionWorker(
            journal=self.journal,
            partition=partition,
            effects=InstantEffects(InstantWorld(now=self.clock.now)),
            limits=UpstreamLimits({}, dict, 1, None, NoMetrics()),
            dates=ServerDates(time.monotonic),
            clock=self.clock,
            routes=dict,
            dice=lambda: 0.5,
            audit_key=Credential("k" * 32),
            metrics=NoMetrics(),
            crash=never,
            options=WorkerOptions(clock_jump=HOUR, device_deadline=DAY, drain=30.0),
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Member"]:
        """A member of the group until the block is left; then it leaves at once."""
        await self.journal.open()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.owners.run())
                yield self
                self.owners.stop()
        finally:
            await self.journal.close()

    async def owns(self, *partitions: int) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.owners.until(lambda owned: owned == set(partitions))

    async def owns_some(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.owners.until(lambda owned: len(owned) == count)

    async def pause(self, partitions: int) -> None:
        """A brake for every partition, in one append."""
        await self.journal.append(
            [
                Event(
                    id=secrets.token_hex(8),
                    tenant="-",
                    subject=subject_key("-", SubjectKind.PARTITION, str(number)),
                    source="operator",
                    received_at=self.clock.now(),
                    body=Paused(by="local:0"),
                )
                for number in range(partitions)
            ]
        )

    async def paused(self, partitions: int) -> None:
        """Wait until this process knows that every partition's owner obeys."""
        async with asyncio.timeout(PATIENCE):
            while not all(one.brakes.all_paused for one in await self.journal.records()):
                await self.journal.wait(0, 0.05)
        assert len(await self.journal.records()) == partitions


async def test_duties_are_where_partition_0_is(topics: KafkaSettings, tmp_path: Path) -> None:
    """At exactly one process, and at the other one when that goes."""
    first, second = Member(topics, tmp_path), Member(topics, tmp_path)
    async with second.serving():
        async with first.serving():
            await first.owns_some(2)
            await second.owns_some(2)
            members = (first, second)
            owner = next(one for one in members if 0 in one.owners.owned)
            other = next(one for one in members if one is not owner)
            await asyncio.wait_for(owner.dutiful.wait(), PATIENCE)
            assert not other.dutiful.is_set()
        await second.owns(0, 1, 2, 3)
        await asyncio.wait_for(second.dutiful.wait(), PATIENCE)
        assert not first.dutiful.is_set()


async def test_a_partition_that_another_takes_is_begun_anew(
    topics: KafkaSettings, tmp_path: Path
) -> None:
    """The commit meets the fence; its memory is dropped, and it is taken back while assigned."""
    member, stranger = Member(topics, tmp_path), Member(topics, tmp_path)
    async with member.serving():
        await member.owns(0, 1, 2, 3)
        await stranger.journal.open()
        taken = await stranger.journal.take_over(1)
        await member.pause(4)
        async with asyncio.timeout(PATIENCE):
            await member.owners.until(lambda owned: 1 not in owned)
        assert member.left == [(1, "JRN-003")]
        await stranger.journal.close()
        await member.owns(0, 1, 2, 3)
        await member.paused(4)
        record = next(one for one in await member.journal.records() if one.partition == 1)
        assert record.epoch > taken.epoch


async def test_a_brake_reaches_every_owner_and_is_known_everywhere(
    topics: KafkaSettings, tmp_path: Path
) -> None:
    """Written in one append by one, kept in the record of each partition by its owner."""
    first, second = Member(topics, tmp_path), Member(topics, tmp_path)
    async with first.serving(), second.serving():
        await first.owns_some(2)
        await second.owns_some(2)
        await first.pause(4)
        await first.paused(4)
        await second.paused(4)
