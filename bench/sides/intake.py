"""The service's own intake on its own journal, durable before each answer.

Arguments: folder, ``group`` or ``single`` (one commit per request), certificate, key.
"""

import asyncio
import ipaddress
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import uvloop

from bench.worker_protocol import Answer, obey, say
from connector.core.errors import Permanent
from connector.core.events import Event
from connector.core.journal import Journal
from connector.core.secret import Credential
from connector.core.source import Sender
from connector.integrations.workspace_one.source import WorkspaceOneSource, WorkspaceOneWebhook
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.observe.labels import Names
from connector.observe.metrics import Build, PrometheusMetrics
from connector.sources.server import IntakeServer, Surroundings
from connector.sources.tenants import Limits, Listener
from connector.wiring.clock import MachineClock
from connector.wiring.gc_tuning import settle_collector

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
WEBHOOK = WorkspaceOneWebhook.model_validate(
    {"credentials": [{"user": "bench", "password_file": "bench"}]}
)
SOURCES = {
    "workspace_one": WorkspaceOneSource([Sender("acme", WEBHOOK, lambda _: Credential("bench"))])
}


class SingleCommits:
    """Appends one after the other, so that each has a commit of its own."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self._turn = asyncio.Lock()

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """Wait for the turn, then append one by one."""
        async with self._turn:
            return [new for event in events for new in await self._journal.append([event])]


async def main(folder: Path, commits: str, *tls: str) -> None:
    """Listen, say where, and go on until the pipe is closed."""
    journal = SqliteJournal(
        SqliteSettings(path=folder / "journal.sqlite"), monotonic=time.monotonic, on_lost=_lost
    )
    await journal.open()
    appended = journal if commits == "group" else cast("Journal", SingleCommits(journal))
    certificate, key = map(Path, tls) if tls else (None, None)
    listener = Listener("127.0.0.1", 0, certificate, key, () if tls else LOOPBACK)
    surroundings = Surroundings(appended, MachineClock(), metrics())
    async with IntakeServer(listener, Limits(), SOURCES, surroundings) as intake:
        settle_collector()
        say({"port": intake.port})
        await obey(_nothing)
    await journal.close()


def metrics() -> PrometheusMetrics:
    """Metrics that no scrape reads."""
    sources = {WorkspaceOneSource.name: WorkspaceOneSource.capabilities}
    names = Names(targets=("acme",), partitions=4, sources=sources)
    return PrometheusMetrics(names, Build("", "", ""))


async def _nothing(_: object) -> Answer:
    return {}


def _lost(fault: Permanent) -> None:
    raise fault


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), *sys.argv[2:]))
