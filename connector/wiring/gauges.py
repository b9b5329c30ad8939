"""What is counted now and then instead of at every change.

Queues of this process are published by every process. What the whole journal holds (subjects by
state, watched copies, dead letters) is published by one, so that sums over processes are right.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import structlog

from connector.core.errors import ConnectorError, Permanent
from connector.core.journal import DeadLetterFilter
from connector.core.metric_definitions import (
    DELIVERIES_IN_STATE,
    DISCLOSED_WITHIN_HOUR,
    DLQ_DEPTH,
    EVENT_IDS_DROPPED,
    JOURNAL_OLDEST_WAITING,
    JOURNAL_WAITING,
    NEEDS_OPERATOR,
    PAUSES,
    PURGE_OLDEST_AGE,
    PURGE_PENDING,
)
from connector.core.metrics import Metrics
from connector.core.model import DAY, SECOND, Millis, SubjectKey
from connector.core.policy import RoutePolicy
from connector.core.ports import Clock
from connector.core.states import Effect, HolderState, State, standing
from connector.operators.stuck import needing
from connector.wiring.journal import ServedJournal
from connector.worker import brakes

log = structlog.get_logger("connector.gauges")

COUNTED = 10_000
"""More watched copies than this are shown as this many."""
TRIED = 10
"""Watched copies of a partition among which one with a readable state is looked for."""
FAR_AHEAD: Millis = 36_500 * DAY


class Gauges:
    """Publishes what the journal holds, every so often.

    Args:
        journal: what is counted.
        metrics: where it is published.
        clock: wall and monotonic clock.
        time: journal time; 0 while it is not known here.
        routes: the UEM of each is a label.
    """

    def __init__(
        self,
        journal: ServedJournal,
        metrics: Metrics,
        clock: Clock,
        time: Callable[[], Millis],
        routes: Mapping[str, RoutePolicy],
    ) -> None:
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._time = time
        self._routes = routes
        self._in_state: AbstractSet[tuple[str, str]] = frozenset()
        self._codes_shown: AbstractSet[str] = frozenset()

    @property
    def _uem_of(self) -> Mapping[str, str]:
        return {name: route.uem for name, route in self._routes.items()}

    async def follow(self, stop: asyncio.Event, every: float, tidy_every: float) -> None:
        """Tell what waits here every ``every`` seconds; let the journal tidy up now and then."""
        tidied = self._clock.monotonic()
        while not stop.is_set():
            self._waiting("events", *self._journal.load_of_appends())
            await self._quietly(self._unread())
            self._metrics.count(EVENT_IDS_DROPPED, self._journal.take_ids_dropped())
            if self._clock.monotonic() - tidied >= tidy_every:
                tidied = self._clock.monotonic()
                await self._quietly(self._journal.tidy(self._time()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await stop.wait()

    async def publish_while_first(self, every: float) -> None:
        """Publish what the whole journal holds, until cancelled; then another process does it."""
        try:
            while True:
                await self._quietly(self.publish())
                await asyncio.sleep(every)
        finally:
            self._forget()

    async def _quietly(self, work: Awaitable[None]) -> None:
        try:
            await work
        except ConnectorError as error:
            log.warning("gauges.failed", error_code=error.code)

    async def publish(self) -> None:
        """One look at the journal."""
        in_state: Counter[tuple[str, str]] = Counter()
        uem_of = self._uem_of
        for (kind, route, phase), count in (await self._journal.counts()).items():
            if kind == "holder" and phase:
                in_state[phase, uem_of.get(route, "")] += count
        self._deliveries(in_state)
        held = [record.brakes for record in await self._journal.records()]
        self._metrics.gauge(PAUSES, len(standing(held)))
        now = self._time() or self._clock.now()
        left = sum(brakes.disclosed(one, now) for one in held)
        self._metrics.gauge(DISCLOSED_WITHIN_HOUR, left)
        self._needing(await self._codes())
        letters = await self._journal.dead_letters(DeadLetterFilter(limit=COUNTED))
        self._metrics.gauge(DLQ_DEPTH, len(letters), queue="events")
        await self._due()
        for uem in sorted(set(uem_of.values())):
            await self._copies(uem)

    def _forget(self) -> None:
        """All to zero: what is not looked at any more must not stand there as if it were."""
        self._deliveries({})
        self._metrics.gauge(PAUSES, 0)
        self._metrics.gauge(DISCLOSED_WITHIN_HOUR, 0)
        self._needing({})
        self._metrics.gauge(DLQ_DEPTH, 0, queue="events")
        self._waiting("due", 0, 0.0)
        for uem in set(self._uem_of.values()):
            self._pending(uem, 0, 0.0)

    async def _due(self) -> None:
        """Effects whose time has come and that have not started: held back, or too many."""
        now = self._time() or self._clock.now()
        rows = [
            row
            for partition in range(self._journal.partitions)
            for lane, earliest in await self._journal.lanes(partition)
            if earliest <= now
            for row in await self._journal.due(partition, lane, now, COUNTED)
        ]
        oldest = min((row.due for row in rows), default=now)
        self._waiting("due", len(rows), (now - oldest) / SECOND)

    async def _copies(self, uem: str) -> None:
        lane = f"{Effect.LOOK_GONE.value}:@{uem}"
        now = self._time() or self._clock.now()
        count, oldest = 0, now
        for partition in range(self._journal.partitions):
            rows = await self._journal.due(partition, lane, now + FAR_AHEAD, COUNTED)
            count += len(rows)
            state = await self._first_readable([row.key for row in rows[:TRIED]])
            if isinstance(state, HolderState):
                oldest = min(oldest, state.copy_.there_since or now)
        self._pending(uem, count, (now - oldest) / SECOND)

    def _deliveries(self, counts: Mapping[tuple[str, str], int]) -> None:
        """By phase and UEM; those published before that have none any more are zero."""
        for state, target in self._in_state | counts.keys():
            count = counts.get((state, target), 0)
            self._metrics.gauge(DELIVERIES_IN_STATE, count, state=state, target=target)
        self._in_state = frozenset(counts)

    def _needing(self, counts: Mapping[str, int]) -> None:
        """By code; those published before that do not stand any more are zero."""
        for code in self._codes_shown | counts.keys():
            self._metrics.gauge(NEEDS_OPERATOR, counts.get(code, 0), error_code=code)
        self._codes_shown = frozenset(counts)

    async def _codes(self) -> Mapping[str, int]:
        """How many users and devices need a person, by code."""
        found: Counter[str] = Counter()
        for (_, code), number in needing(await self._journal.codes()).items():
            found[code] += number
        return found

    async def _unread(self) -> None:
        """Events that are stored and that no round of this process has handled."""
        count, since = await self._journal.unread()
        age = 0.0 if since is None else max(self._clock.now() - since, 0) / SECOND
        self._waiting("unread", count, age)

    def _waiting(self, queue: str, count: int, oldest: float) -> None:
        self._metrics.gauge(JOURNAL_WAITING, count, queue=queue)
        self._metrics.gauge(JOURNAL_OLDEST_WAITING, oldest, queue=queue)

    def _pending(self, target: str, count: int, oldest: float) -> None:
        self._metrics.gauge(PURGE_PENDING, count, target=target)
        self._metrics.gauge(PURGE_OLDEST_AGE, oldest, target=target)

    async def _first_readable(self, keys: Sequence[SubjectKey]) -> State | None:
        """One that another version wrote must not prevent the update of all gauges."""
        for key in keys:
            try:
                return (await self._journal.load([key])).get(key)
            except Permanent as error:
                if error.code != "EVT-005":
                    raise
        return None
