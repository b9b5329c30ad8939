"""What is counted now and then instead of at every change: subjects by state, watched copies."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import structlog

from connector.core.errors import ConnectorError
from connector.core.journal import DeadLetterFilter
from connector.core.metrics import Metrics
from connector.core.model import DAY, SECOND, Millis
from connector.core.policy import RoutePolicy
from connector.core.ports import Clock
from connector.core.states import Effect, HolderState
from connector.journal.sqlite import SqliteJournal

log = structlog.get_logger("connector.gauges")

COUNTED = 10_000
"""More watched copies than this are shown as this many."""
FAR_AHEAD: Millis = 36_500 * DAY


class Gauges:
    """Publishes what the journal holds, every so often."""

    def __init__(
        self,
        journal: SqliteJournal,
        metrics: Metrics,
        clock: Clock,
        routes: Mapping[str, RoutePolicy],
    ) -> None:
        """Nothing is published yet."""
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._uem_of = {name: route.uem for name, route in routes.items()}

    async def follow(self, stop: asyncio.Event, every: float, tidy_every: float) -> None:
        """Publish every ``every`` seconds, let the journal tidy up every ``tidy_every``."""
        tidied = self._clock.monotonic()
        while not stop.is_set():
            try:
                await self.publish()
                if self._clock.monotonic() - tidied >= tidy_every:
                    tidied = self._clock.monotonic()
                    await self._journal.tidy(self._clock.now())
            except ConnectorError as error:
                log.warning("gauges.failed", error_code=error.code)
            try:
                async with asyncio.timeout(every):
                    await stop.wait()
            except TimeoutError:
                continue

    async def publish(self) -> None:
        """One look at the journal."""
        self._metrics.journal_waiting("events", *self._journal.load_of_appends())
        in_state: Counter[tuple[str, str]] = Counter()
        for (kind, route, phase), count in (await self._journal.counts()).items():
            if kind == "holder" and phase:
                in_state[phase, self._uem_of.get(route, "")] += count
        self._metrics.deliveries_in_state(in_state)
        letters = await self._journal.dead_letters(DeadLetterFilter(limit=COUNTED))
        self._metrics.dead_letters("events", len(letters))
        await self._due()
        for uem in sorted(set(self._uem_of.values())):
            await self._copies(uem)

    async def _due(self) -> None:
        """Effects whose time has come and that have not started: held back, or too many."""
        now = self._clock.now()
        rows = [
            row
            for partition in range(self._journal.partitions)
            for lane, earliest in await self._journal.lanes(partition)
            if earliest <= now
            for row in await self._journal.due(partition, lane, now, COUNTED)
        ]
        oldest = min((row.due for row in rows), default=now)
        self._metrics.journal_waiting("due", len(rows), (now - oldest) / SECOND)

    async def _copies(self, uem: str) -> None:
        lane = f"{Effect.LOOK_GONE.value}:@{uem}"
        now = self._clock.now()
        count, oldest = 0, now
        for partition in range(self._journal.partitions):
            rows = await self._journal.due(partition, lane, now + FAR_AHEAD, COUNTED)
            count += len(rows)
            for state in (await self._journal.load([row.key for row in rows[:1]])).values():
                if isinstance(state, HolderState):
                    oldest = min(oldest, state.copy_.since or now)
        self._metrics.purge_pending(uem, count, (now - oldest) / SECOND)
