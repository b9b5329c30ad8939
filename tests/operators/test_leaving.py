"""Operators whose program is gone: work that changes nothing ends with it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from connector.core.audit import AuditRow
from connector.journal.sqlite import SqliteJournal
from connector.operators.client import AdminClient
from connector.operators.server import AdminServer
from tests.operators.world import AdminWorld
from tests.patience import PATIENCE
from tests.support import asked


class EndlessTrail(SqliteJournal):
    """A journal whose trail takes for ever to read."""

    def __init__(self, *arguments: object, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type] # handed through
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def audit_rows(self, _partition: int, after: int = 0) -> AsyncIterator[AuditRow]:
        self.begun.set()
        try:
            await asyncio.Event().wait()
            yield AuditRow(after + 1, None)
        finally:
            self.ended.set()


async def test_a_check_of_the_trail_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    """The client is cancelled and its connection closed; the service stops reading."""
    world = AdminWorld(tmp_path, EndlessTrail)
    journal = world.journal
    assert isinstance(journal, EndlessTrail)
    await world.open()
    socket = tmp_path / "run" / "admin.sock"
    async with AdminServer(world.service().handlers(), socket):
        async with AdminClient(socket) as client, asyncio.timeout(PATIENCE):
            asking = asyncio.get_running_loop().create_task(asked.verify(client))
            await journal.begun.wait()
            asking.cancel()
            await asyncio.wait({asking})
        async with asyncio.timeout(PATIENCE):
            await journal.ended.wait()
    await world.journal.close()
