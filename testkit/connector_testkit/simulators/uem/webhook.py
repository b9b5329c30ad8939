"""The event notification sender: one POST per event, HTTP Basic, TLS verified against a CA file.

The product was never seen to repeat a post that failed, or to keep an order, so by default neither
is done. Each post and its answer is in the ledger.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp

from connector_testkit.simulators.uem.events import Event, as_json, as_xml
from connector_testkit.simulators.uem.fault_box import FaultBox
from connector_testkit.simulators.uem.ledger import Ledger
from connector_testkit.simulators.uem.options import WebhookTarget, read_secret
from connector_testkit.simulators.uem.webhook_faults import WebhookFault, broken, second_spelling


@dataclass(frozen=True)
class _Line:
    """A target made ready: password read, trust loaded."""

    target: WebhookTarget
    authorization: str
    trust: ssl.SSLContext
    slots: asyncio.Semaphore

    @classmethod
    def to(cls, target: WebhookTarget) -> "_Line":
        password = read_secret(target.password_file)
        authorization = aiohttp.encode_basic_auth(target.user, password)
        trust = ssl.create_default_context(cafile=target.ca_file)
        return cls(target, authorization, trust, asyncio.Semaphore(target.parallel))

    def encode(self, event: Event) -> tuple[bytes, str]:
        if self.target.format == "xml":
            return as_xml(event), self.target.xml_content_type
        return as_json(event), "application/json; charset=utf-8"


class WebhookSender:
    """Takes events with :meth:`post` and sends them while :meth:`run` runs."""

    def __init__(self, target: WebhookTarget | None, ledger: Ledger) -> None:
        self.faults: FaultBox[WebhookFault] = FaultBox()
        self._ledger = ledger
        self._line = _Line.to(target) if target else None
        self._waiting: asyncio.Queue[tuple[Event, float]] = asyncio.Queue()
        self._held: list[Event] = []

    @property
    def target(self) -> WebhookTarget | None:
        """Where events go at the moment."""
        return self._line.target if self._line else None

    def aim(self, target: WebhookTarget | None) -> None:
        """Send to another target from now on. Raises ``OSError`` when a file is missing."""
        self._line = _Line.to(target) if target else None

    def post(self, event: Event) -> None:
        """Queue an event, through the faults that wait for it."""
        text = str(event["EventType"]).lower()
        found = self.faults.take_all(lambda fault: fault.event.lower() in text)
        faults = {fault.kind: fault for fault in found}
        if "drop" in faults:
            self._ledger.note("webhook", **_about(event), status=None, error="dropped")
            return
        events = [event, *([second_spelling(event)] if "second_spelling" in faults else [])]
        for kind in faults:
            events = [broken(kind, each) for each in events]
        events = events * (2 if "duplicate" in faults else 1)
        if "reorder" in faults:
            self._held.extend(events)
            return
        seconds = faults["delay"].seconds if "delay" in faults else 0.0
        for each in [*events, *self._held]:
            self._waiting.put_nowait((each, seconds))
        self._held.clear()

    async def run(self) -> None:
        """Send what is queued until cancelled; posts under way end with it."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as posts:
            while True:
                event, seconds = await self._waiting.get()
                line = self._line
                if line is None:
                    self._ledger.note("webhook", **_about(event), status=None, error="no target")
                else:
                    posts.create_task(self._send(session, line, event, seconds))

    async def test(self) -> int | None:
        """The console's "test connection": a GET with the credentials; its status, or None."""
        if self._line is None:
            return None
        async with aiohttp.ClientSession() as session:
            return await self._request(session, self._line, "GET", None)

    async def _send(
        self, session: aiohttp.ClientSession, line: _Line, event: Event, seconds: float
    ) -> None:
        await asyncio.sleep(seconds)
        for attempt in range(line.target.retries + 1):
            async with line.slots:  # first come, first served: one slot keeps the order
                status = await self._request(session, line, "POST", event)
            if status is not None and status < 300:  # noqa: PLR2004 - success class
                return
            if attempt < line.target.retries:
                await asyncio.sleep(line.target.retry_pause.total_seconds())

    async def _request(
        self, session: aiohttp.ClientSession, line: _Line, method: str, event: Event | None
    ) -> int | None:
        """Send once and note the answer; None when there was none."""
        body, content_type = line.encode(event) if event is not None else (None, "")
        headers = {"Authorization": line.authorization}
        if event is not None:
            headers["Content-Type"] = content_type
        about = _about(event) if event is not None else {"event": "test"}
        try:
            async with session.request(
                method,
                line.target.url,
                data=body,
                headers=headers,
                ssl=line.trust,
                allow_redirects=False,
                timeout=_limit(line.target.timeout),
            ) as answer:
                self._ledger.note("webhook", **about, status=answer.status)
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._ledger.note("webhook", **about, status=None, error=type(error).__name__)
            return None


def _limit(total: timedelta) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total.total_seconds())


def _about(event: Event) -> dict[str, Any]:
    return {"event": event["EventType"], "device": event["DeviceId"], "time": event["EventTime"]}
