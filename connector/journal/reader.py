"""A thread that reads, on a connection that can do nothing else.

Reading in the event loop would make every request wait for a slow disk. Each reader has one thread
and one connection; what was committed before a read began is seen by it.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from connector.core.errors import Permanent
from connector.journal import faults
from connector.journal.database import Connection

T = TypeVar("T")


class Reader:
    """Runs queries one after another."""

    def __init__(self, connection: Connection, on_damage: Callable[[Permanent], None]) -> None:
        """Take over ``connection``; ``on_damage`` is called when the file proves unreadable."""
        self._connection = connection
        self._on_damage = on_damage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")

    async def ask(self, query: Callable[[Connection], T]) -> T:
        """What ``query`` returns.

        Raises:
            Transient: ``JRN-001`` when the file is busy.
            Permanent: ``JRN-002`` when it is damaged; what ``query`` raises besides.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, query, self._connection
            )
        except sqlite3.Error as error:
            fault = faults.of_reading("reading journal", error)
            if isinstance(fault, Permanent):
                self._on_damage(fault)
            raise fault from error

    async def close(self) -> None:
        """Finish the query that runs, and close; twice is harmless."""
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()
