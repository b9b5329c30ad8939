"""A SQLite journal in a temporary folder, as the tests use it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connector.core.errors import Permanent
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal, SqliteOptions

PARTITIONS = 4


class SqliteWorld:
    """An open journal; ``lost`` collects the calls of ``on_lost``."""

    knows_ids = True

    def __init__(self, path: Path, options: SqliteOptions | None = None, **settings: Any) -> None:
        self.path = path
        self.settings = settings
        self.options = options or SqliteOptions()
        self.lost: list[Permanent] = []
        self.journal = self.another()

    def another(self, partitions: int = PARTITIONS) -> SqliteJournal:
        """A second journal on the same file, not open."""
        return SqliteJournal(
            SqliteSettings(path=self.path, partitions=partitions, **self.settings),
            monotonic=time.monotonic,
            on_lost=self.lost.append,
            options=self.options,
        )

    async def restart(self) -> None:
        await self.journal.close()
        self.journal = self.another()
        await self.journal.open()

    async def plant(self, partition: int, original: bytes) -> None:
        row = (partition, original.hex(), 0, original, None)
        writer = self.journal._opened().writer
        await writer.run(lambda connection, log: log.insert(connection, [row]))


@asynccontextmanager
async def opened(
    path: Path, options: SqliteOptions | None = None, **settings: Any
) -> AsyncIterator[SqliteWorld]:
    """A world whose journal is open, and closed in every case at the end."""
    world = SqliteWorld(path, options, **settings)
    await world.journal.open()
    try:
        yield world
    finally:
        await world.journal.close()
