"""Notices when the journal cannot be written, counts what was refused, and sees it recover.

A journal that refuses is asked again every few seconds with a write that changes nothing, because
a sender that was refused may never come back, and the recovery must be seen without one.
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import structlog

from connector.core.conditions import Severity
from connector.core.errors import ConnectorError, Fault, Transient
from connector.core.events import Event
from connector.core.journal import PartitionRecord
from connector.core.metric_definitions import (
    BACKUP_LAST_SUCCESS,
    JOURNAL_VOLUME_FREE,
    JOURNAL_WRITABLE,
)
from connector.core.metrics import Metrics
from connector.core.ports import Clock
from connector.journal.backup_mark import marked
from connector.journal.placement import MISPLACED
from connector.wiring.conditions import Board

log = structlog.get_logger("connector.journal")

NAME: Final = "journal"
SPACE: Final = "journal-volume"
RESTORED: Final = "journal-restored"
OVERDUE: Final = Transient("EVT-003", "waiting for the disk").fault()
FULL: Final = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
"""What a full disk is called in the detail of a fault."""
QUIET: Final = 10.0
"""Seconds without a refusal before the journal counts as writable again."""
TELL_EVERY: Final = 60.0
"""Seconds between two log lines about the same refusal."""
LOW: Final = 256 * 1024 * 1024
"""Free bytes below which an operator is warned."""
MEBI: Final = 1024 * 1024


class Watched(Protocol):
    """What is asked of a journal here; see :class:`connector.wiring.journal.ServedJournal`."""

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """Make events durable."""
        ...

    def trouble(self) -> Fault | None:
        """Why nothing could be written when that was tried last."""
        ...

    async def probe(self) -> None:
        """See whether it can be written."""
        ...

    async def records(self) -> list[PartitionRecord]:
        """The partitions' own records."""
        ...


class JournalWatch:
    """The journal as the webhook listener sees it, with an eye on what becomes of its appends."""

    def __init__(
        self,
        journal: Watched,
        board: Board,
        metrics: Metrics,
        clock: Clock,
        file: Path,
        low: int = LOW,
    ) -> None:
        """``file`` is the journal's file, ``low`` free bytes where it lies are a warning."""
        self._low = low
        self._journal = journal
        self._board = board
        self._metrics = metrics
        self._clock = clock
        self._file = file
        self._fault: Fault | None = None
        self._count = 0
        self._last = 0.0
        self._told = 0.0
        metrics.gauge(JOURNAL_WRITABLE, 1)

    @property
    def writable(self) -> bool:
        """Whether nothing was refused lately."""
        return self._fault is None

    @property
    def placed(self) -> bool:
        """Whether the files are where they were opened; else this process serves none of them."""
        return self._fault is None or MISPLACED not in self._fault.detail

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """See :meth:`connector.core.journal.Journal.append`; refusals are counted."""
        try:
            return await self._journal.append(events)
        except Transient as error:
            self._refused(error.fault(), len(events))
            raise
        except asyncio.CancelledError:  # the patience of the listener has ended
            self._refused(OVERDUE, len(events))
            raise

    async def follow(self, stop: asyncio.Event, every: float) -> None:
        """Check at intervals until ``stop``."""
        while not stop.is_set():
            await self.look(every)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await stop.wait()

    async def look(self, patience: float) -> None:
        """See how much room there is, whether rounds are refused, and whether it is over."""
        await self._look_at_volume()
        await self._look_at_records()
        if (backed_up := await asyncio.to_thread(marked, self._file)) is not None:
            self._metrics.gauge(BACKUP_LAST_SUCCESS, backed_up)
        if self._fault is None:
            fault = await asyncio.to_thread(self._journal.trouble)  # it asks the file system
            if fault is not None:
                self._refused(fault, 0)
        if self._fault is not None and await self._passed(patience):
            self._recovered()

    async def _passed(self, patience: float) -> bool:
        try:
            async with asyncio.timeout(patience):
                await self._journal.probe()
        except (ConnectorError, TimeoutError):
            return False
        return self._clock.monotonic() - self._last >= QUIET

    async def _look_at_volume(self) -> None:
        try:
            volume = await asyncio.to_thread(os.statvfs, self._file.parent)
        except OSError:  # the folder is not there any more, which the journal's own faults tell
            return
        free = volume.f_bavail * volume.f_frsize
        self._metrics.gauge(JOURNAL_VOLUME_FREE, free)
        if free < self._low:
            text = f"only {free // MEBI} MiB are free on the volume of the journal"
            self._board.report(SPACE, Severity.WARNING, "JRN-013", text)
        else:
            self._board.clear(SPACE)

    async def _look_at_records(self) -> None:
        """Whether a backup was restored, and no person has resumed since."""
        try:
            restored = [one.restored for one in await self._journal.records() if one.restored]
        except ConnectorError:  # a journal that cannot be read says so by itself
            return
        if restored:
            text = "a backup was restored; no act starts until a person resumes"
            self._board.report(RESTORED, Severity.CRITICAL, "JRN-014", text, min(restored))
        else:
            self._board.clear(RESTORED)

    def _refused(self, fault: Fault, number: int) -> None:
        now = self._clock.monotonic()
        begins = self._fault is None
        self._fault, self._last = fault, now
        self._count += number
        text = f"{fault.detail or 'the journal takes nothing'}; {self._count} event(s) refused"
        self._board.report(NAME, Severity.CRITICAL, fault.code, text)
        if begins or now - self._told >= TELL_EVERY:
            self._told = now
            self._metrics.gauge(JOURNAL_WRITABLE, 0)
            full = any(name in fault.detail for name in FULL)
            event = "journal.full" if full else "journal.unwritable"
            log.error(event, error_code=fault.code, count=self._count)

    def _recovered(self) -> None:
        count, self._count, self._fault = self._count, 0, None
        self._metrics.gauge(JOURNAL_WRITABLE, 1)
        self._board.clear(NAME)
        log.warning("journal.writable", count=count)
