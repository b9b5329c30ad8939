"""The loop alone: real journal, real workers of all partitions, upstreams that answer at once.

Time runs faster here than outside, so that no run waits for a retention to pass: what is measured
is work, not waiting.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connector.core.errors import Fault, Permanent
from connector.core.events import DeviceEnrolled, Event
from connector.core.journal import Commit, Journal
from connector.core.metrics import NoMetrics
from connector.core.model import DAY, HOUR, SubjectKind, subject_key
from connector.core.secret import Credential
from connector.core.states import HolderState, Phase
from connector.crash import never
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal, SqliteOptions
from connector.settings.routes import RouteSettings
from connector.settings.upstreams import UemSettings
from connector.upstream import RequestLimit
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions
from connector.worker.owners import Owners
from connector.worker.server_dates import ServerDates
from connector.worker.upstream_limits import Upstream, UpstreamLimits
from connector_testkit.simulators.instant import InstantEffects, InstantWorld

PARTITIONS = 4
PARALLEL = 256
HAND_OVERS = 64
APPEND = 250
NUDGE = 0.01
PATIENCE = 120.0
ROUTE = RouteSettings.model_validate(
    {
        "uem": "acme",
        "ca": "acme-ca",
        "identity": {"person_attribute": "username", "agreeing_attribute": "email"},
        "signing": "required",
        "other_devices": "hold",
        "unknown_set": "replace",
        "profiles": {"*": "4711"},
        "retention": "3s",
        "retention_margin": "1s",
        "look_every": {"first": "1s", "cap": "15m"},
        # These are long, because the machine is not faster by as much as the clock.
        "look_fresh": "1d",
        "hand_over_limit": "10m",
        "act_limit": "10m",
    }
).policy("corp", UemSettings(type="instant", address="https://uem.example.com"))


class FastClock:
    """Both clocks of a machine, ``speed`` times as fast."""

    def __init__(self, speed: float, last: int) -> None:
        """Begin at the present, or at ``last`` if an earlier fast clock got further (ms)."""
        self._speed = speed
        self._wall, self._start = max(time.time(), last / 1000), time.monotonic()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self._wall * 1000 + (time.monotonic() - self._start) * 1000 * self._speed)

    def monotonic(self) -> float:
        """Seconds."""
        return self._start + (time.monotonic() - self._start) * self._speed


class Tally:
    """Counts the state transitions that became durable, and remembers who was completed."""

    def __init__(self) -> None:
        self.transitions = 0
        self.completed: set[str] = set()
        self.news = asyncio.Event()

    def note(self, commit: Commit) -> None:
        """Take in what is durable now."""
        self.transitions += len(commit.states)
        for row in commit.states:
            state = row.state
            delivery = state.delivery if isinstance(state, HolderState) else None
            if delivery is not None and delivery.phase is Phase.COMPLETED:
                self.completed.add(row.key)
        self.news.set()


class Counted(Journal, Protocol):
    """A journal that notes each commit in a tally."""

    tally: Tally


class CountingJournal(SqliteJournal):
    """The embedded journal with a tally."""

    async def open(self) -> None:
        """Open, and begin to count."""
        self.tally = Tally()
        await super().open()

    async def commit(self, commit: Commit) -> None:
        """Commit, then count."""
        await super().commit(commit)
        self.tally.note(commit)


@dataclass
class Stage:
    """A journal, the owners of its partitions, and the world around them."""

    journal: Counted
    world: InstantWorld
    clock: FastClock
    owners: Owners

    async def enrol(self, users: range) -> None:
        """One device of each user enrols."""
        now = self.clock.now()
        events = [enrolled(user, now) for user in users]
        for first in range(0, len(events), APPEND):
            await self.journal.append(events[first : first + APPEND])

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looking after each commit; two minutes at most."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self.journal.tally.news.clear()
                self.owners.wake()
                await self._news()

    async def _news(self) -> None:
        try:
            async with asyncio.timeout(NUDGE):
                await self.journal.tally.news.wait()
        except TimeoutError:
            return

    async def deliver(self, users: range) -> dict[str, float]:
        """Deliver to a number of new users; seconds, transitions and holders."""
        tally = self.journal.tally
        transitions, begin = tally.transitions, time.perf_counter()
        done = len(tally.completed) + len(users)
        await self.enrol(users)
        await self.until(lambda: len(tally.completed) >= done)
        return {
            "seconds": time.perf_counter() - begin,
            "transitions": tally.transitions - transitions,
            "holders": len(users),
        }


def enrolled(user: int, now: int) -> Event:
    """The event that a user's device has enrolled."""
    return Event(
        id=f"enrolled-{user}-{now}",
        tenant="acme",
        subject=subject_key("acme", SubjectKind.DEVICE, str(user)),
        source="workspace-one",
        occurred_at=now,
        received_at=now,
        body=DeviceEnrolled(platform="apple"),
    )


@asynccontextmanager
async def stage(
    folder: Path,
    options: SqliteOptions,
    speed: float = 200.0,
    journal: type[CountingJournal] = CountingJournal,
) -> AsyncIterator[Stage]:
    """Workers that turn until the block is left."""
    opened = journal(
        SqliteSettings(path=folder / "journal.sqlite", partitions=PARTITIONS),
        monotonic=time.monotonic,
        on_lost=_lost,
        options=options,
    )
    await opened.open()
    try:
        async with performing(opened, speed) as made:
            await made.owners.until(lambda owned: len(owned) == PARTITIONS)
            yield made
    finally:
        await opened.close()


@asynccontextmanager
async def performing(journal: Counted, speed: float) -> AsyncIterator[Stage]:
    """Owners of what an open journal assigns, at work until the block is left."""
    clock = FastClock(speed, max(record.time for record in await journal.records()))
    world, limits = InstantWorld(now=clock.now), _limits(clock)
    owners = Owners(journal, lambda number: _worker(journal, world, clock, limits, number))
    async with asyncio.TaskGroup() as group:
        group.create_task(owners.run())
        yield Stage(journal, world, clock, owners)
        owners.stop()


def _limits(clock: FastClock) -> UpstreamLimits:
    names = ("uem:acme", "ca:acme-ca")
    upstreams = {
        name: Upstream(CircuitBreaker(clock.monotonic, _changed), RequestLimit(), PARALLEL)
        for name in names
    }
    return UpstreamLimits(upstreams, lambda: {"corp": ROUTE}, HAND_OVERS, None, NoMetrics())


def _worker(
    journal: Counted, world: InstantWorld, clock: FastClock, limits: UpstreamLimits, partition: int
) -> PartitionWorker:
    routes = {"corp": ROUTE}
    return PartitionWorker(
        journal=journal,
        partition=partition,
        effects=InstantEffects(world),
        limits=limits,
        clock=clock,
        routes=lambda: routes,
        dice=lambda: 0.5,
        audit_key=Credential("k" * 32),
        metrics=NoMetrics(),
        crash=never,
        options=WorkerOptions(clock_jump=HOUR, device_deadline=14 * DAY, drain=30.0),
        dates=ServerDates(clock.monotonic),
    )


def _changed(state: str, fault: Fault | None) -> None:
    """No alarm is raised here."""


def _lost(fault: Permanent) -> None:
    raise fault
