"""The one thread that writes, and its group commit.

Callers leave rows and a future; the thread takes all that waits, writes it in one transaction, and
resolves all futures with one call into the event loop. There is no timer and no batch size: while
one sync runs, the next batch collects. Rows of a cancelled caller are written all the same.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connector.core.errors import ConnectorError, Permanent, Transient, raised
from connector.journal import faults
from connector.journal.checkpoints import Checkpoints
from connector.journal.database import Connection
from connector.journal.events import EventLog, EventRow
from connector.journal.transactions import Transactions
from connector.journal.write_queue import Batch, Limits, WriteQueue

T = TypeVar("T")

_IDLE_SECONDS = 0.2


class Writer:
    """Runs the writing connection in a thread of its own.

    ``announce`` is called in the event loop with the partitions that got new events, after they
    became durable; ``on_lost`` once, when the journal cannot be trusted any more. From then on
    every call raises ``JRN-002`` and nothing touches the file.
    """

    def __init__(
        self,
        connection: Connection,
        require_placed: Callable[[], None],
        *,
        limits: Limits,
        monotonic: Callable[[], float],
        announce: Callable[[set[int]], None],
        on_lost: Callable[[Permanent], None],
    ) -> None:
        """Make it in the event loop that will wait for it; ``connection`` stays the caller's.

        ``require_placed`` raises ``JRN-001`` while the files are not where they were opened.
        """
        self._loop = asyncio.get_running_loop()
        self._transactions = Transactions(connection)
        self._checkpoints = Checkpoints(connection)
        self._queue = WriteQueue(limits, monotonic)
        self._require_placed = require_placed
        self._announce = announce
        self._on_lost = on_lost
        self.trouble: Transient | None = None
        """Why the last transaction was refused; None once one was written."""
        self._thread = threading.Thread(target=self._serve, name="journal-writer", daemon=True)
        self._thread.start()

    def append(self, rows: Sequence[EventRow]) -> asyncio.Future[list[bool]]:
        """Events on their way; resolves when they are durable.

        Raises:
            Transient: ``JRN-001`` when too many wait or the oldest waits too long.
            Permanent: ``JRN-002`` when the journal is lost.
        """
        future: asyncio.Future[list[bool]] = self._loop.create_future()
        self._queue.add_append(rows, future)
        return future

    def run(self, work: Callable[[Connection, EventLog], T]) -> asyncio.Future[T]:
        """Statements on their way, in a savepoint of their own; raises as :meth:`append`."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.add_work(work, future)
        return future

    def load(self) -> tuple[int, float]:
        """How many events wait, and for how many seconds the oldest has."""
        return self._queue.load()

    async def close(self) -> None:
        """Write what waits, and end the thread; twice is harmless."""
        if self._queue.refusal is None:
            self._queue.refuse(Transient("JRN-001", "writing journal: it is closed"))
        await asyncio.to_thread(self._thread.join)

    def lose(self, fault: Permanent) -> None:
        """Write nothing any more and say so; from any thread, also for a damage a reader found."""
        if self.fate is None:
            self._queue.refuse(fault)
            self._call(self._on_lost, fault)

    @property
    def fate(self) -> Permanent | None:
        """Why the journal is lost, if it is."""
        refusal = self._queue.refusal
        return refusal if isinstance(refusal, Permanent) else None

    # ------------------------------------------------------------------- in the writer's thread

    def _serve(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._write(batch)
                self._checkpoints.run_when_due(idle=batch.since is None)
            except Exception as error:  # noqa: BLE001 - after any error no caller may wait for ever
                fault = error if isinstance(error, Permanent) else faults.lost("writing", error)
                self.lose(fault)
                self._settle(batch, [fault] * len(batch.futures()), set())

    def _next(self) -> Batch | None:
        return self._queue.take(_IDLE_SECONDS if self._checkpoints.wanted_when_idle else None)

    def _write(self, batch: Batch) -> None:
        if self.fate is not None:
            raise self.fate
        if batch.since is None:
            return
        try:
            self._require_placed()
            written = self._transactions.write(batch.appends, batch.works)
        except Transient as fault:
            self.trouble = fault
            self._settle(batch, [fault] * len(batch.futures()), set())
        else:
            self.trouble = None
            self._settle(batch, written.outcomes, written.touched)

    def _settle(self, batch: Batch, outcomes: Sequence[Any], touched: set[int]) -> None:
        self._call(self._resolve, batch.futures(), outcomes, touched)

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed, and no caller waits
            self._loop.call_soon_threadsafe(callback, *arguments)

    # ------------------------------------------------------------------------- in the event loop

    def _resolve(
        self,
        futures: Sequence[asyncio.Future[Any]],
        outcomes: Sequence[Any],
        touched: set[int],
    ) -> None:
        for future, outcome in zip(futures, outcomes, strict=True):
            if future.done():  # its caller was cancelled, or an earlier fault came first
                continue
            if isinstance(outcome, ConnectorError):
                future.set_exception(raised(outcome.fault()))
            else:
                future.set_result(outcome)
        if touched:
            self._announce(touched)
