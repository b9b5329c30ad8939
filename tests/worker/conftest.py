"""A worker on a real journal in a temporary folder, with upstreams that answer at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from connector.core.audit import AuditRecord
from connector.core.errors import Fault, Permanent
from connector.core.metrics import CircuitState, Metrics, NoMetrics
from connector.core.policy import OtherDevices, Retry, RoutePolicy, UnknownSet
from connector.core.secret import Credential
from connector.core.selection import SigningPolicy
from connector.crash import never
from connector.journal.sqlite import SqliteJournal
from connector.simulators.instant import InstantEffects, InstantWorld
from connector.worker import PartitionWorker, WorkerOptions
from connector.worker.breaker import Breaker
from connector.worker.gate import Gate, Upstream


class SteppedClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000_000
        self.seconds = 1000.0

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.seconds += milliseconds / 1000


ROUTE = RoutePolicy(
    name="corp",
    uem="acme",
    ca="acme-ca",
    person_attribute="username",
    agreeing_attribute="email",
    signing=SigningPolicy.REQUIRED,
    archived=True,
    other_devices=OtherDevices.HOLD,
    unknown_set=UnknownSet.REPLACE,
    profiles={"*": "4711"},
    retention=3_000,
    retention_margin=1_000,
    retry=Retry(first=1_000, cap=8_000),
    look_every=Retry(first=500, cap=2_000),
)


class Stage:
    """A worker, its journal, and the world around it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SteppedClock()
        self.world = InstantWorld(now=self.clock.now)
        self.routes = {"corp": ROUTE}
        self.alarms: list[tuple[str, str]] = []
        self.lost: list[Permanent] = []
        self.metrics: Metrics = NoMetrics()
        self.told: list[AuditRecord] = []
        self.journal = SqliteJournal(
            folder / "journal.sqlite",
            1,
            monotonic=self.clock.monotonic,
            on_lost=self.lost.append,
        )
        self.gate = self._gate()

    def _alarm(self, upstream: str, state: CircuitState, _fault: Fault | None) -> None:
        self.alarms.append((upstream, state))

    def _gate(self, ceiling: int | None = None) -> Gate:
        upstreams = {
            name: Upstream(
                breaker=Breaker(
                    self.clock.monotonic,
                    partial(self._alarm, name),
                ),
                rate=None,
                parallel=64,
            )
            for name in ("uem:acme", "ca:acme-ca")
        }
        return Gate(upstreams, lambda: self.routes, 8, ceiling, NoMetrics())

    def worker(self) -> PartitionWorker:
        return PartitionWorker(
            journal=self.journal,
            partition=0,
            effects=InstantEffects(self.world),
            gate=self.gate,
            clock=self.clock,
            routes=lambda: self.routes,
            dice=lambda: 0.5,
            audit_key=Credential("k" * 32),
            metrics=self.metrics,
            crash=never,
            options=WorkerOptions(),
            tell=self.told.append,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PartitionWorker]:
        """A worker that turns until the block is left."""
        worker = self.worker()
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run())
            await worker.running.wait()
            yield worker
            worker.stop()

    async def until(self, holds: Callable[[], object], step: int = 250) -> None:
        """Let time pass until something holds; bounded."""
        async with asyncio.timeout(20):
            while True:
                result = holds()
                if asyncio.iscoroutine(result):
                    result = await result
                if result:
                    return
                self.clock.advance(step)
                await self.journal.wait(0, 0.005)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    await made.journal.open()
    yield made
    await made.journal.close()
