"""Store verified notifications as events, in one batch for all that arrived together.

Requests that arrive while the event loop brings more at every turn are normalised in one go and
appended in one call. A notification costs a third of what it costs alone that way, because the code
that reads it and the code that moves requests do not push each other out of the processor's caches,
and because fewer and larger commits wait for fewer syncs. A single request is stored at once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol

from connector.core.errors import ConnectorError, Transient, raised
from connector.core.events import Event
from connector.core.metric_definitions import WEBHOOK_EVENTS
from connector.core.metrics import OTHER, Metrics

OVERDUE: Final = Transient("EVT-003", "waiting for the disk", retry_after=5)


MOST_TOGETHER: Final = 64
"""Requests; about a millisecond's work between two turns of the event loop."""

MOST_APPENDS: Final = 2
"""Appends: one that runs and one that can follow at once."""

LONGEST_HELD: Final = 0.005
"""Seconds that requests wait while many run, so that one append and its sync serve more."""


class Log(Protocol):
    """The one method of a journal that intake needs."""

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """See :meth:`connector.core.journal.Journal.append`."""
        ...


class _Waiting(NamedTuple):
    """One request: who sent it, how to read it, and what its handler waits for."""

    source: str
    read: Callable[[], Event | None]
    stored: "asyncio.Future[None]"


class Storing:
    """Stores events durably and counts the outcomes.

    Args:
        journal: where events go.
        metrics: counts each notification.
        patience: seconds; senders give up after 15 or 30, so a stalled disk must become a 503
            before that. The rows are kept all the same, and their ids absorb what is sent again.
        longest_held: seconds that requests wait for appends that run.
    """

    def __init__(
        self,
        journal: Log,
        metrics: Metrics,
        patience: float,
        longest_held: float = LONGEST_HELD,
    ) -> None:
        self._journal = journal
        self._metrics = metrics
        self._patience = patience
        self._longest_held = longest_held
        self._arrived: list[_Waiting] = []
        self._appends: set[asyncio.Task[None]] = set()
        self._held: asyncio.TimerHandle | None = None

    async def store(self, source: str, read: Callable[[], Event | None]) -> None:
        """Return only when the event that ``read`` gives is durable. None is counted and dropped.

        Raises:
            Rejected: what ``read`` raises.
            Transient: ``EVT-003`` when patience ends, and what the journal raises.
        """
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        if not self._arrived:
            loop.call_soon(self._gather, 1)
        self._arrived.append(_Waiting(source, read, stored))
        await stored

    async def close(self) -> None:
        """Wait for appends that are running."""
        while self._appends:
            await asyncio.wait(self._appends)

    def _gather(self, before: int) -> None:
        """Go on while each turn brings more; ``before`` is how many had arrived at the last one."""
        loop, now = asyncio.get_running_loop(), len(self._arrived)
        if before < now < MOST_TOGETHER:
            loop.call_soon(self._gather, now)
        elif len(self._appends) >= MOST_APPENDS and now < MOST_TOGETHER:
            self._held = loop.call_later(self._longest_held, self._together)
        else:
            self._together()

    def _ended(self, append: "asyncio.Task[None]") -> None:
        self._appends.discard(append)
        if self._held is not None:
            self._together()

    def _together(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        arrived, self._arrived = self._arrived, []
        read = [(one, event) for one in arrived if (event := self._read(one)) is not None]
        if read:
            task = asyncio.get_running_loop().create_task(self._append(read))
            self._appends.add(task)
            task.add_done_callback(self._ended)

    def _read(self, one: _Waiting) -> Event | None:
        try:
            event = one.read()
        except Exception as error:  # noqa: BLE001 - any error concerns this request alone
            _fail(one, error)
            return None
        if event is None:
            labels = {"source": one.source, "event_type": OTHER}
            self._metrics.count(WEBHOOK_EVENTS, **labels, outcome="ignored")
            _settle(one)
        return event

    async def _append(self, read: Sequence[tuple[_Waiting, Event]]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                new = await self._journal.append([event for _, event in read])
            stored = list(zip(read, new, strict=True))
        except TimeoutError:
            self._refuse(read, OVERDUE)
        except Exception as error:  # noqa: BLE001 - each handler turns it into its own answer
            self._refuse(read, error)
        else:
            self._count(stored)
            for (one, _), _ in stored:
                _settle(one)

    def _count(self, stored: Sequence[tuple[tuple[_Waiting, Event], bool]]) -> None:
        alike = Counter((one.source, event.body.kind, is_new) for (one, event), is_new in stored)
        for (source, kind, is_new), number in alike.items():
            labels = {"source": source, "event_type": kind}
            outcome = "accepted" if is_new else "duplicate"
            self._metrics.count(WEBHOOK_EVENTS, number, **labels, outcome=outcome)

    @staticmethod
    def _refuse(read: Sequence[tuple[_Waiting, Event]], error: Exception) -> None:
        again = partial(raised, error.fault()) if isinstance(error, ConnectorError) else None
        for one, _ in read:
            _fail(one, error if again is None else again())


def _settle(one: _Waiting) -> None:
    if not one.stored.done():  # its request was given up
        one.stored.set_result(None)


def _fail(one: _Waiting, error: Exception) -> None:
    if not one.stored.done():
        one.stored.set_exception(error)
