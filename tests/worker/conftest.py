"""A worker on a real journal in a temporary folder, with upstreams that answer at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from connector.core.audit import AuditEntry, AuditRecord
from connector.core.errors import Fault, Permanent, Transient
from connector.core.events import DeviceEnrolled, Event, EventBody
from connector.core.facts import Acted
from connector.core.journal import Commit
from connector.core.metrics import CircuitState, Metrics, NoMetrics
from connector.core.model import (
    DAY,
    HOUR,
    Millis,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import Retry
from connector.core.secret import Credential
from connector.core.states import ACTS, Delivery, HolderState, Phase, Running
from connector.crash import CrashPoint, never
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.upstream import RequestLimit
from connector.worker.ceiling import Ceiling
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions
from connector.worker.round import Failure
from connector.worker.server_dates import ServerDates
from connector.worker.share import whole
from connector.worker.upstream_limits import Upstream, UpstreamLimits
from connector_testkit.simulators.instant import InstantEffects, InstantWorld
from tests.patience import PATIENCE
from tests.support.clocks import ManualClock
from tests.support.routes import policy

ROUTE = policy(
    retention=3_000,
    retention_margin=1_000,
    retry=Retry(first=1_000, cap=8_000),
    look_every=Retry(first=500, cap=2_000),
)


class StubbornJournal(SqliteJournal):
    """The real journal, on a disk that can be full for a while."""

    full = False
    refused = 0

    async def lanes(self, partition: int) -> list[tuple[str, Millis]]:
        if self.full:
            self.refused += 1
            raise Transient("JRN-001", "reading the journal")
        return await super().lanes(partition)

    async def commit(self, commit: Commit) -> None:
        if self.full:
            self.refused += 1
            raise Transient("JRN-001", "writing the journal")
        await super().commit(commit)


class HeldEffects(InstantEffects):
    """Acts wait at a door; ``begun`` lists those that were started, ``held`` counts brakes.

    ``waiting``: which acts wait there.
    """

    def __init__(self, world: InstantWorld) -> None:
        super().__init__(world)
        self.door = asyncio.Event()
        self.door.set()
        self.waiting = ACTS
        self.begun: list[Running] = []
        self.held = 0

    def hold(self, keys: Collection[SubjectKey]) -> None:
        self.held += len(keys)

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        self.begun.append(running)
        if running.effect in self.waiting:
            await self.door.wait()
        return await super().act(key, running, deadline)


class Stage:
    """A worker, its journal, and the world around it."""

    def __init__(
        self,
        folder: Path,
        partitions: int = 1,
        journal: type[StubbornJournal] = StubbornJournal,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics: Metrics = metrics or NoMetrics()
        self.clock = ManualClock()
        self.dates = ServerDates(self.clock.monotonic)
        self.world = InstantWorld(now=self.clock.now, dated=self._dated)
        self.routes = {"corp": ROUTE}
        self.alarms: list[tuple[str, str]] = []
        self.lost: list[Permanent] = []
        self.told: list[AuditRecord] = []
        self.failures: list[Failure] = []
        self.effects = HeldEffects(self.world)
        self.journal = journal(
            SqliteSettings(path=folder / "journal.sqlite", partitions=partitions),
            monotonic=self.clock.monotonic,
            on_lost=self.lost.append,
        )
        self._numbers = count()
        self.turning: PartitionWorker | None = None
        self.boot = ""
        self.crash: CrashPoint = never
        self.limits = self.limited()

    def _dated(self, server_time: Millis) -> None:
        self.dates.note(server_time)

    def _alarm(self, upstream: str, state: CircuitState, _fault: Fault | None) -> None:
        self.alarms.append((upstream, state))

    def limited(self, ceiling: int | None = None, hand_overs: int = 8) -> UpstreamLimits:
        """Limits with that ceiling of keys per hour and that number of hand-overs at once."""
        upstreams = {
            name: Upstream(
                breaker=CircuitBreaker(
                    self.clock.monotonic,
                    partial(self._alarm, name),
                ),
                requests=RequestLimit(monotonic=self.clock.monotonic),
                parallel=64,
            )
            for name in ("uem:acme", "ca:acme-ca")
        }
        limit = None if ceiling is None else self._ceiling(ceiling)
        return UpstreamLimits(upstreams, lambda: self.routes, hand_overs, limit, self.metrics)

    def _ceiling(self, keys: int) -> Ceiling:
        return Ceiling(keys, self.journal.current_records, whole, self.clock.monotonic)

    def worker(self, partition: int = 0) -> PartitionWorker:
        """Of a process that has just started: no upstream has answered with the time."""
        self.dates = ServerDates(self.clock.monotonic)
        return PartitionWorker(
            journal=self.journal,
            partition=partition,
            effects=self.effects,
            limits=self.limits,
            clock=self.clock,
            routes=lambda: self.routes,
            dice=lambda: 0.5,
            audit_key=Credential("k" * 32),
            metrics=self.metrics,
            crash=self.crash,
            options=WorkerOptions(
                clock_jump=HOUR, device_deadline=14 * DAY, drain=30.0, boot=self.boot
            ),
            dates=self.dates,
            tell=self.told.append,
            alarm=self.failures.append,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PartitionWorker]:
        """A worker that turns until the block is left."""
        worker = self.worker()
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run())
            await worker.owned.wait()
            self.turning = worker
            yield worker
            worker.stop()

    @asynccontextmanager
    async def killed(self) -> AsyncIterator[PartitionWorker]:
        """A worker that is not asked to drain when the block is left: it is gone."""
        worker = self.worker()
        task = asyncio.get_running_loop().create_task(worker.run())
        await worker.owned.wait()
        self.turning = worker
        yield worker
        task.cancel()
        await asyncio.wait([task])

    async def send(self, subject: SubjectKey, body: EventBody, name: str = "") -> None:
        """Append an event; ``name`` is its id."""
        event = Event(
            id=name or f"sent-{next(self._numbers)}",
            tenant=parse_subject(subject).tenant,
            subject=subject,
            source="workspace-one",
            occurred_at=self.clock.now(),
            received_at=self.clock.now(),
            body=body,
        )
        await self.journal.append([event])

    async def enrol(self, device: str = "7") -> None:
        await self.send(
            subject_key("acme", SubjectKind.DEVICE, device), DeviceEnrolled(platform="apple")
        )

    async def holder(self, user: str = "7") -> HolderState | None:
        key = subject_key("acme", SubjectKind.HOLDER, user)
        state = (await self.journal.load([key])).get(key)
        return state if isinstance(state, HolderState) else None

    async def delivery(self, user: str = "7") -> Delivery:
        state = await self.holder(user)
        assert state is not None
        assert state.delivery is not None
        return state.delivery

    async def until_phase(self, phase: Phase, user: str = "7", step: int = 250) -> None:
        async def there() -> bool:
            state = await self.holder(user)
            return bool(state and state.delivery and state.delivery.phase is phase)

        await self.until(there, step)

    async def turns(self, rounds: int = 20, step: int = 0) -> None:
        """Let the loop turn that number of times, with that much time between."""
        for _ in range(rounds):
            await self._pass(step)

    async def _pass(self, step: int) -> None:
        """Time passes, and the loop looks again without waiting for it on the real clock."""
        self.clock.advance(step)
        if self.turning is not None:
            self.turning.wake()
        await self.journal.wait(0, 0.005)

    async def audited(self) -> list[AuditEntry]:
        return [record.entry async for record in self.journal.audit(0)]

    async def until(self, holds: Callable[[], object], step: int = 250) -> None:
        """Let time pass until something holds; bounded."""
        async with asyncio.timeout(PATIENCE):
            while True:
                result = holds()
                if asyncio.iscoroutine(result):
                    result = await result
                if result:
                    return
                await self._pass(step)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    await made.journal.open()
    yield made
    await made.journal.close()
