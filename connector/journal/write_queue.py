"""What waits for the writer thread: a bounded list that is taken as a whole."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.core.errors import ConnectorError, Transient, raised
from connector.journal import faults
from connector.journal.events import EventRow
from connector.journal.transactions import Work


@dataclass(frozen=True, slots=True)
class Limits:
    """When appends are refused: ``waiting`` events wait, or the oldest for ``age`` seconds."""

    waiting: int = 5000
    age: float = 2.0


@dataclass(slots=True)
class Batch:
    """What one transaction takes: appends and works, each with the future of its caller."""

    appends: list[Sequence[EventRow]] = field(default_factory=list)
    append_futures: list[asyncio.Future[Any]] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    work_futures: list[asyncio.Future[Any]] = field(default_factory=list)
    rows: int = 0
    since: float | None = None

    def futures(self) -> list[asyncio.Future[Any]]:
        """All who wait for it, in the order of the outcomes."""
        return self.append_futures + self.work_futures


class WriteQueue:
    """The list between the event loop and the writer thread.

    Adding raises ``JRN-001`` when too much waits (appends only: a round must not starve behind
    them) or when it is closed, and the fault of :meth:`refuse` after that.
    """

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        """``monotonic`` gives seconds, to know for how long the oldest waits."""
        self._limits = limits
        self._monotonic = monotonic
        self._ready = threading.Condition()
        self._batch = Batch()
        self._refusal: ConnectorError | None = None

    def add_append(self, rows: Sequence[EventRow], future: asyncio.Future[Any]) -> None:
        """Leave events; they are written together with those of others."""
        with self._ready:
            batch = self._open_batch()
            self._refuse_overload(batch)
            batch.appends.append(rows)
            batch.append_futures.append(future)
            batch.rows += len(rows)

    def add_work(self, work: Work, future: asyncio.Future[Any]) -> None:
        """Leave statements; they run in a savepoint of their own."""
        with self._ready:
            batch = self._open_batch()
            batch.works.append(work)
            batch.work_futures.append(future)

    def take(self, patience: float | None) -> Batch | None:
        """All that waits; an empty batch after ``patience`` seconds; None once closed and empty."""
        with self._ready:
            self._ready.wait_for(self._awake, patience)
            batch, self._batch = self._batch, Batch()
            return None if self._refusal and batch.since is None else batch

    def refuse(self, refusal: ConnectorError) -> None:
        """Take nothing more; what waits already can still be taken. The last refusal counts."""
        with self._ready:
            self._refusal = refusal
            self._ready.notify()

    def load(self) -> tuple[int, float]:
        """How many events wait, and for how many seconds the oldest has."""
        with self._ready:
            since = self._batch.since
            age = 0.0 if since is None else self._monotonic() - since
            return self._batch.rows, age

    @property
    def refusal(self) -> ConnectorError | None:
        """Why nothing is taken any more, if so."""
        return self._refusal

    def _awake(self) -> bool:
        return self._batch.since is not None or self._refusal is not None

    def _open_batch(self) -> Batch:
        if self._refusal is not None:
            raise raised(self._refusal.fault())
        if self._batch.since is None:
            self._batch.since = self._monotonic()
            self._ready.notify()
        return self._batch

    def _refuse_overload(self, batch: Batch) -> None:
        limits = self._limits
        if batch.rows >= limits.waiting:
            problem = f"{batch.rows} events wait"
        elif batch.since is not None and self._monotonic() - batch.since > limits.age:
            problem = f"events wait for more than {limits.age:g} s"
        else:
            return
        raise Transient("JRN-001", f"appending: {problem}", retry_after=faults.RETRY_AFTER)
