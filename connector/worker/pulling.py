"""Pulling from a feed: beside the worker of partition 0, so that it is done once in a cluster.

A page's events are made durable first, then the position behind them, as a command to partition 0
that its worker applies. A death between the two repeats the page, whose events have the same ids.
A former owner that still pulls appends only what is known already, and its position is older than
the owner's, by the epoch in it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.core.errors import ConnectorError, Fault, raised
from connector.core.events import Event, SourcePulled, event_id
from connector.core.feed import Feed, Page, checked
from connector.core.journal import Journal, PartitionRecord
from connector.core.model import SECOND, Millis, SubjectKind, subject_key
from connector.core.policy import Retry
from connector.core.ports import Clock
from connector.core.retry import backoff
from connector.core.source import SourceCapabilities
from connector.worker.probing import LOOK_SECONDS, Unexpected, fault_of, too_slow
from connector.worker.upstream_limits import UpstreamLimits

AGAIN = Retry(first=SECOND, cap=60 * SECOND)
"""Pauses after failed pulls, with jitter."""
HELD_BACK = 1.0
"""Seconds until the limits of an upstream that holds pulling back are asked again."""
AT_ONCE = 256
"""Events that are appended together."""
LOST = "JRN-002"
PULL = "pull"
"""The operation in the metrics."""
PARTITION = subject_key("-", SubjectKind.PARTITION, "0")


class PullWatch(Protocol):
    """Hears how pulling from the feed of an upstream (``ca:NAME``, ``uem:NAME``) goes."""

    def pulled(self, name: str, events: Mapping[tuple[str, bool], int]) -> None:
        """A page is durable; how many ``events`` it had by (kind, whether it was new)."""
        ...

    def failed(self, name: str, fault: Fault) -> None:
        """It is tried again later."""
        ...

    def stopped(self, name: str) -> None:
        """Another process pulls from now on, or none."""
        ...


@dataclass(frozen=True, slots=True)
class PullFrom:
    """One feed: whose it is, what its source declares, its plug-in as open now, its interval.

    ``upstream`` is ``ca:NAME`` or ``uem:NAME``, ``sender`` NAME alone. ``every``: milliseconds.
    """

    upstream: str
    sender: str
    source: SourceCapabilities
    feed: Callable[[], Feed]
    every: Millis


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What pulling needs from the process; ``sleep`` and ``limit`` of one pull in seconds."""

    journal: Journal
    limits: UpstreamLimits
    clock: Clock
    dice: Callable[[], float]
    watch: PullWatch
    unexpected: Unexpected
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    limit: float = LOOK_SECONDS


@dataclass(slots=True)
class _Place:
    """Where pulling has come to under an owner epoch; ``moves`` and ``failures`` count."""

    epoch: int
    position: str | None
    moves: int = 0
    failures: int = 0


class Pulling:
    """Pulls from one feed."""

    def __init__(self, wanted: PullFrom, around: Surroundings) -> None:
        self._from = wanted
        self._around = around

    async def run(self, record: PartitionRecord) -> None:
        """Pull until cancelled; ``record``: that of partition 0 as it was taken over.

        Raises:
            Permanent: ``JRN-002`` when the journal is lost.
        """
        known = record.pulled.get(self._from.upstream)
        place = _Place(record.epoch, None if known is None else known.position)
        try:
            while True:
                await self._around.sleep(await self._step(place))
        finally:
            self._around.watch.stopped(self._from.upstream)

    async def _step(self, place: _Place) -> float:
        """Pull one page; seconds until the next."""
        try:
            page = await self._page(place.position)
            counted = await self._store(page.events)
            forward = page.position not in {None, place.position}
            if page.position is not None and forward:
                await self._move(place, page.position)
        except ConnectorError as error:
            if error.code == LOST:
                raise
            place.failures += 1
            self._around.watch.failed(self._from.upstream, error.fault())
            return backoff(AGAIN, place.failures, self._around.dice, error.fault()) / SECOND
        place.failures = 0
        self._around.watch.pulled(self._from.upstream, counted)
        return 0 if page.more and forward else self._from.every / SECOND

    async def _page(self, position: str | None) -> Page:
        """Ask the feed once the limits admit it, and tell them how it went."""
        limits, clock, name = self._around.limits, self._around.clock, self._from.upstream
        while not limits.admits(name):
            await self._around.sleep(HELD_BACK)
        probes, started = limits.begin(name), clock.monotonic()
        try:
            page = await self._asked(position)
        except Exception as error:
            fault = fault_of(error, "pull", self._around.unexpected)
            limits.end(name, PULL, fault, clock.monotonic() - started, probes=probes)
            raise raised(fault) from error
        except BaseException:
            limits.withdraw(name, probes=probes)
            raise
        limits.end(name, PULL, None, clock.monotonic() - started, probes=probes)
        return page

    async def _asked(self, position: str | None) -> Page:
        limit = asyncio.timeout(self._around.limit)
        try:
            async with limit:
                page = await self._from.feed().pull(position, self._around.clock.now())
        except TimeoutError:
            if limit.expired():
                raise too_slow(self._from.upstream) from None
            raise
        declared = self._from.source
        return checked(page, self._from.sender, declared.label, declared.event_kinds)

    async def _store(self, events: Sequence[Event]) -> Counter[tuple[str, bool]]:
        """Make a page durable; how many events it had by (kind, whether it was new)."""
        counted: Counter[tuple[str, bool]] = Counter()
        for first in range(0, len(events), AT_ONCE):
            some = events[first : first + AT_ONCE]
            new = await self._around.journal.append(some)
            counted.update(zip((one.body.kind for one in some), new, strict=True))
        return counted

    async def _move(self, place: _Place, position: str) -> None:
        """Note the position behind a page that is durable."""
        body = SourcePulled(sender=self._from.upstream, position=position, epoch=place.epoch)
        number = f"{place.epoch}.{place.moves}"
        event = Event(
            id=event_id(body.kind, body.sender, number),
            tenant="-",
            subject=PARTITION,
            source="core",
            received_at=self._around.clock.now(),
            body=body,
        )
        await self._around.journal.append([event])
        place.position = position
        place.moves += 1
