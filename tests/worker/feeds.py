"""A feed in memory, and what pulls from it into the journal of a stage."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from connector.core.errors import Fault
from connector.core.events import DeviceEnrolled, Event, event_id
from connector.core.feed import FeedPosition, FeedSettings, Page
from connector.core.journal import Positioned
from connector.core.model import Millis, SubjectKind, subject_key
from connector.core.source import SourceCapabilities
from connector.worker.loop import PartitionWorker
from connector.worker.pulling import PullFrom, Pulling, Surroundings
from tests.worker.conftest import Stage

NAME = "uem:acme"
EVERY: Millis = 45_000
SOURCE = SourceCapabilities(
    label="acme-feed", event_kinds=("device_enrolled",), webhook=False, pull=True
)


class NumberedFeed:
    """Devices that enrol, two a page; the position is the number of those before it.

    ``asked`` are the positions that were asked for. ``trouble`` is raised instead, and ``page``
    given instead, while there is one. ``most`` is how many pulls ran at once.
    """

    settings_model: ClassVar[type[FeedSettings]] = FeedSettings

    def __init__(self) -> None:
        self.devices: list[str] = []
        self.asked: list[str | None] = []
        self.trouble: Exception | None = None
        self.page: Page | None = None
        self.door = asyncio.Event()
        self.door.set()
        self.running = self.most = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held open."""

    async def pull(self, position: str | None, now: Millis) -> Page:
        self.asked.append(position)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.door.wait()
        finally:
            self.running -= 1
        if self.trouble is not None:
            raise self.trouble
        if self.page is not None:
            return self.page
        start = int(position or 0)
        some = self.devices[start : start + 2]
        events = [enrolled(device, now) for device in some]
        end = start + len(some)
        return Page(events, str(end), more=end < len(self.devices))


def enrolled(device: str, now: Millis, tenant: str = "acme", label: str = SOURCE.label) -> Event:
    """The event of an entry; its id is made of what happened."""
    return Event(
        id=event_id("feed", device),
        tenant=tenant,
        subject=subject_key(tenant, SubjectKind.DEVICE, device),
        source=label,
        received_at=now,
        body=DeviceEnrolled(platform="apple"),
    )


class Heard:
    """Keeps what pulling tells."""

    def __init__(self) -> None:
        self.pages: list[Mapping[tuple[str, bool], int]] = []
        self.faults: list[Fault] = []
        self.stops = 0

    def pulled(self, name: str, events: Mapping[tuple[str, bool], int]) -> None:
        assert name == NAME
        self.pages.append(events)

    def failed(self, name: str, fault: Fault) -> None:
        assert name == NAME
        self.faults.append(fault)

    def stopped(self, name: str) -> None:
        assert name == NAME
        self.stops += 1


class Puller:
    """Pulls into a stage's journal; ``slept`` are the pauses that it made, in seconds."""

    def __init__(self, stage: Stage, limit: float = 300) -> None:
        self.feed = NumberedFeed()
        self.heard = Heard()
        self.slept: list[float] = []
        self.unexpected: list[str] = []
        self._stage = stage
        self.pulling = Pulling(
            PullFrom(NAME, "acme", SOURCE, lambda: self.feed, EVERY),
            Surroundings(
                journal=stage.journal,
                limits=stage.limits,
                clock=stage.clock,
                dice=lambda: 0.5,
                watch=self.heard,
                unexpected=lambda stage, _error: self.unexpected.append(stage),
                sleep=self._sleep,
                limit=limit,
            ),
        )

    async def _sleep(self, seconds: float) -> None:
        """Pauses are no longer than a turn of the loop."""
        self.slept.append(seconds)
        await self._stage.journal.wait(0, 0.005)

    async def stored(self) -> list[str]:
        """The devices of all events of the feed in the journal, in order."""
        found = await self._stage.journal.read(0, 0, 1000)
        events = [one.event for one in found if isinstance(one, Positioned)]
        return [one.subject.split("/")[-1] for one in events if one.source == SOURCE.label]

    async def position(self) -> FeedPosition | None:
        """How far the feed has been read, by the record of partition 0."""
        (record,) = await self._stage.journal.records()
        return record.pulled.get(NAME)


@asynccontextmanager
async def pulling(puller: Puller, worker: PartitionWorker) -> AsyncIterator[None]:
    """Pull beside a worker until the block is left; then it is gone without a word."""
    task = asyncio.get_running_loop().create_task(puller.pulling.run(worker.record))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
