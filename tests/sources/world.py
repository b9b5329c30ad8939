"""A webhook listener on loopback with a real journal, a clock that tests turn, and its client."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import aiohttp
from standardwebhooks import Webhook

from connector.core.events import Event
from connector.core.journal import DeadLetter, Positioned
from connector.core.metric_definitions import (
    CERTIFICATE_RELOADS,
    WEBHOOK_AUTH_FAILURES,
    WEBHOOK_CONNECTIONS,
    WEBHOOK_EVENTS,
)
from connector.core.metrics import Counter, Gauge
from connector.core.secret import Credential
from connector.core.source import Sender, Source
from connector.integrations.http_escrow.source import StandardWebhook, StandardWebhooksSource
from connector.integrations.workspace_one.source import WorkspaceOneSource, WorkspaceOneWebhook
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.sources.server import IntakeServer, Surroundings
from connector.sources.tenants import BasicSender, Limits, Listener, SigningSender
from tests.patience import PATIENCE
from tests.support.clocks import ManualClock
from tests.support.counted import Counted

NOW = 1_772_700_000_000
DATA = Path(__file__).parents[1] / "data" / "uem"
UEM = "/hooks/workspace-one/acme"
CA = "/hooks/ca/main"
PASSWORD = "secret-password"
LOOPBACK = (ip_network("127.0.0.0/8"),)
SECRETS = (
    "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    base64.b64encode(b"k" * 24).decode(),
)

CONSOLES = (
    BasicSender("acme", (("uem", Credential(PASSWORD)), ("uem2", Credential("next-password")))),
    BasicSender("lonely", (("uem", Credential("another")),)),
)
CAS = (SigningSender("main", tuple(map(Credential, SECRETS))),)
NAMES = ("acme", "lonely", "main")
STATUS = {"lonely": 202}
JSON = {"Content-Type": "application/json"}


def basic(user: str = "uem", password: str = PASSWORD) -> dict[str, str]:
    """An Authorization header."""
    return {"Authorization": aiohttp.encode_basic_auth(user, password, "utf-8")}


def signed(
    body: bytes, *, name: str = "msg_1", at: int = NOW // 1000, secret: int = 0
) -> dict[str, str]:
    """The headers of Standard Webhooks for a body."""
    moment = datetime.fromtimestamp(at, UTC)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": Webhook(SECRETS[secret]).sign(name, moment, body.decode()),
    }


def sources(
    consoles: Sequence[BasicSender] = CONSOLES, cas: Sequence[SigningSender] = CAS
) -> dict[str, Source]:
    """Both sources of this distribution, as the service makes them, with these senders."""
    return {
        "workspace_one": WorkspaceOneSource([_console(one) for one in consoles]),
        "standard_webhooks": StandardWebhooksSource([_ca(one) for one in cas]),
    }


def _console(sender: BasicSender) -> Sender:
    files = {Path(f"{user}-{at}"): word for at, (user, word) in enumerate(sender.credentials)}
    settings = WorkspaceOneWebhook.model_validate(
        {
            "format": "any",
            "success_status": STATUS.get(sender.name, 200),
            "credentials": [
                {"user": user, "password_file": f"{user}-{at}"}
                for at, (user, _) in enumerate(sender.credentials)
            ],
        }
    )
    return Sender(sender.name, settings, files.__getitem__)


def _ca(sender: SigningSender) -> Sender:
    files = {Path(str(at)): secret for at, secret in enumerate(sender.secrets)}
    settings = StandardWebhook.model_validate({"secret_files": list(map(str, files))})
    return Sender(sender.name, settings, files.__getitem__)


class Tally(Counted):
    """Remembers what was counted, and lets a test wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reloaded = asyncio.Event()
        self.deserted = asyncio.Event()

    @property
    def events(self) -> list[tuple[str, ...]]:
        """Source, type and outcome of each notification."""
        return self.labels(WEBHOOK_EVENTS)

    @property
    def refused(self) -> list[tuple[str, ...]]:
        """Source and code of each caller who was not known."""
        return self.labels(WEBHOOK_AUTH_FAILURES)

    @property
    def reloads(self) -> list[bool]:
        """Whether each reading of the certificate was accepted."""
        return [outcome == "accepted" for (outcome,) in self.labels(CERTIFICATE_RELOADS)]

    @property
    def open(self) -> float:
        """How many connections there are."""
        return self.now(WEBHOOK_CONNECTIONS).get((), 0)

    def count(self, metric: Counter, number: float = 1, /, **labels: str) -> None:
        super().count(metric, number, **labels)
        if metric is CERTIFICATE_RELOADS:
            self.reloaded.set()

    def gauge(self, metric: Gauge, value: float, /, **labels: str) -> None:
        super().gauge(metric, value, **labels)
        if metric is WEBHOOK_CONNECTIONS:
            (self.deserted.clear if value else self.deserted.set)()


@dataclass
class World:
    """What a test needs of a running listener."""

    server: IntakeServer
    journal: SqliteJournal
    clock: ManualClock
    tally: Tally
    client: aiohttp.ClientSession
    appending: asyncio.Event

    def url(self, path: str = UEM) -> str:
        return f"http://127.0.0.1:{self.server.port}{path}"

    async def until_appending(self) -> None:
        """Return when the journal has been asked to append."""
        await asyncio.wait_for(self.appending.wait(), PATIENCE)

    async def stored(self) -> list[Event]:
        """All events in the journal."""
        found: list[Positioned | DeadLetter] = []
        for partition in range(self.journal.partitions):
            found += await self.journal.read(partition, 0, 1000)
        return [one.event for one in found if isinstance(one, Positioned)]

    async def raw(self, request: bytes) -> bytes:
        """Everything that a connection answers to these bytes until it is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        await writer.wait_closed()
        return answer


@asynccontextmanager
async def journal_at(path: Path) -> AsyncIterator[SqliteJournal]:
    """A real journal with two partitions."""
    loop = asyncio.get_running_loop()
    lost: asyncio.Queue[BaseException] = asyncio.Queue()
    journal = SqliteJournal(
        SqliteSettings(path=path, partitions=2), monotonic=loop.time, on_lost=lost.put_nowait
    )
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


@dataclass
class Before:
    """A journal that does something of the test's before each append."""

    journal: SqliteJournal
    step: "asyncio.Event | Exception"
    begun: asyncio.Event

    async def append(self, events: Sequence[Event]) -> list[bool]:
        self.begun.set()
        if isinstance(self.step, Exception):
            raise self.step
        await self.step.wait()
        return await self.journal.append(events)


@asynccontextmanager
async def serving(
    path: Path,
    *,
    limits: Limits | None = None,
    listener: Listener | None = None,
    step: "asyncio.Event | Exception | None" = None,
) -> AsyncIterator[World]:
    """A listener, plain HTTP from loopback unless options say otherwise."""
    clock, tally = ManualClock(wall=NOW), Tally()
    listener = listener or Listener("127.0.0.1", 0, proxies=LOOPBACK)
    async with journal_at(path / "journal.db") as journal, aiohttp.ClientSession() as client:
        begun = asyncio.Event()
        target = journal if step is None else Before(journal, step, begun)
        surroundings = Surroundings(target, clock, tally)
        async with IntakeServer(
            listener, limits or Limits(), sources(), surroundings, NAMES
        ) as server:
            yield World(server, journal, clock, tally, client, begun)


def changed(limits: Limits | None = None, **changes: float) -> Limits:
    """The default limits but for these."""
    return replace(limits or Limits(), **changes)  # type: ignore[arg-type]
