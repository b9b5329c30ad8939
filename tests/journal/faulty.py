"""A real connection whose chosen statements fail with a chosen result code, or wait for a go."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterable
from typing import Any

from connector.journal.database import Parameters
from tests.patience import PATIENCE


def sqlite_error(code: int, name: str) -> sqlite3.OperationalError:
    """An error as the driver raises it."""
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode = code
    error.sqlite_errorname = name
    return error


class FaultyConnection:
    """Passes everything on, and keeps count of what it was asked.

    ``faults`` maps the beginning of a statement to the error it ends with.
    ``gate`` holds every COMMIT back until it is set.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.faults: dict[str, sqlite3.Error] = {}
        self.statements: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self._news = threading.Event()

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    @property
    def total_changes(self) -> int:
        return self._connection.total_changes

    def execute(self, sql: str, parameters: Parameters = (), /) -> sqlite3.Cursor:
        self._note(sql)
        if sql == "COMMIT":
            assert self.gate.wait(PATIENCE)
        self._fail(sql)
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        self._note(sql)
        self._fail(sql)
        return self._connection.executemany(sql, parameters)

    def close(self) -> None:
        self._connection.close()

    async def reached(self, beginning: str) -> None:
        """Return when a statement with this beginning was asked for."""
        async with asyncio.timeout(PATIENCE):
            while not any(sql.startswith(beginning) for sql in self.statements):
                await asyncio.to_thread(self._news.wait, 1)
                self._news.clear()

    def commits(self) -> int:
        """How many transactions were ended."""
        return self.statements.count("COMMIT")

    def _note(self, sql: str) -> None:
        self.statements.append(sql)
        self._news.set()

    def _fail(self, sql: str) -> None:
        for beginning, error in self.faults.items():
            if sql.lstrip().startswith(beginning):
                raise error
