"""Lock, connections and threads of one open journal: begun together, ended in a safe order."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from connector.core.errors import Permanent, Transient
from connector.journal import faults, leftovers, tables
from connector.journal.connection import Synchronous, open_reading, open_writing
from connector.journal.leftovers import index_of, log_of
from connector.journal.lockfile import LockFile, lock_of
from connector.journal.placement import Placement
from connector.journal.plain_copies import remove_abandoned
from connector.journal.reader import Reader
from connector.journal.write_queue import Limits
from connector.journal.writer import Writer


@dataclass(frozen=True, slots=True)
class Plan:
    """How to open a journal. ``fresh``: a file that is there is thrown away first."""

    path: Path
    partitions: int
    synchronous: Synchronous
    limits: Limits
    monotonic: Callable[[], float]
    announce: Callable[[set[int]], None]
    on_lost: Callable[[Permanent], None]
    fresh: bool = False


class _Files(NamedTuple):
    """What is open of one journal."""

    lock: LockFile
    placement: Placement
    writing: sqlite3.Connection
    loop_reading: sqlite3.Connection
    listing_reading: sqlite3.Connection


class Engine:
    """An open journal. ``loop_reader`` serves the workers, ``listing_reader`` people and gauges.

    They are two so that a long listing never holds up a worker's round.
    """

    def __init__(self, plan: Plan, files: _Files) -> None:
        """Start the threads; in the event loop that will use them."""
        self._files = files
        self.writer = Writer(
            files.writing,
            files.placement.require,
            limits=plan.limits,
            monotonic=plan.monotonic,
            announce=plan.announce,
            on_lost=plan.on_lost,
        )
        self.loop_reader = Reader(files.loop_reading, self.writer.lose)
        self.listing_reader = Reader(files.listing_reading, self.writer.lose)

    def misplaced(self) -> Transient | None:
        """Why nothing may be written now, if the files are not where they were opened."""
        try:
            self._files.placement.require()
        except Transient as fault:
            return fault
        return None

    async def close(self) -> None:
        """Write what waits, and close.

        The last connection to close copies the log into the database file and removes it. After a
        failed sync that copy could be made of pages that the kernel has lost, so then the readers,
        which cannot copy, close last, and recovery at the next start checks every page.
        """
        await self.writer.close()
        if self.writer.fate is not None:
            self._files.writing.close()
        await self.loop_reader.close()
        await self.listing_reader.close()
        await asyncio.to_thread(self._files.writing.close)
        self._files.lock.release()


async def start(plan: Plan) -> Engine:
    """Open the file, or make it.

    Raises:
        Permanent: ``JRN-004`` when it cannot be used, ``JRN-005`` when the partitions differ,
            ``JRN-016`` when the file is missing beside what an earlier journal left.
    """
    return Engine(plan, await asyncio.to_thread(_open_files, plan))


def _open_files(plan: Plan) -> _Files:
    lock = LockFile(lock_of(plan.path))
    with ExitStack() as undo:
        lock.take()
        undo.callback(lock.release)
        if plan.fresh:
            _throw_away(plan.path)
        elif not leftovers.present(plan.path):
            leftovers.require_none(plan.path)
        writing = open_writing(plan.path, plan.synchronous)
        undo.callback(writing.close)
        try:
            tables.prepare(writing, plan.partitions)
        except sqlite3.Error as error:
            raise faults.unusable("preparing tables", error) from error
        remove_abandoned(plan.path)
        loop_reading = open_reading(plan.path)
        undo.callback(loop_reading.close)
        listing_reading = open_reading(plan.path)
        undo.callback(listing_reading.close)
        files = _Files(lock, _placement(plan), writing, loop_reading, listing_reading)
        undo.pop_all()
    return files


def _placement(plan: Plan) -> Placement:
    """What has to stay in its place; nothing of a file that the next start throws away."""
    path = plan.path
    paths = () if plan.fresh else (path, log_of(path), index_of(path), lock_of(path))
    try:
        return Placement(paths)
    except OSError as error:
        raise faults.unusable("opening journal", error) from error


def _throw_away(path: Path) -> None:
    """Remove a database file together with its log."""
    try:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
    except OSError as error:
        raise faults.unusable("removing an old file", error) from error
