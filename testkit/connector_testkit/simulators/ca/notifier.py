"""The CA's notifications: signed as Standard Webhooks 1.0 has it, sent again until accepted.

A notification keeps its id and body over all tries and gets a new ``webhook-timestamp`` with each;
they go out one after another. Source: the Standard Webhooks specification, sections on headers and
retries.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout
from standardwebhooks import Webhook as Signer

from connector_testkit.simulators.ca.commands import NotificationInfo, NotifyFaults, Webhook

PAUSES = (0.1, 0.2, 0.5, *(1.0 for _ in range(120)))
TIME_LIMIT = ClientTimeout(total=10)


@dataclass(eq=False)
class _Notification:
    id: str
    type: str
    person: str
    fingerprint: str
    happened: datetime
    sent: int = 0
    dropped: bool = False
    status: int = 0

    def body(self) -> str:
        data = {"person": self.person, "fingerprint": self.fingerprint}
        document = {"type": self.type, "timestamp": self.happened.isoformat(), "data": data}
        return orjson.dumps(document).decode()

    def info(self) -> NotificationInfo:
        return NotificationInfo(
            id=self.id,
            type=self.type,
            person=self.person,
            fingerprint=self.fingerprint,
            sent=self.sent,
            dropped=self.dropped,
            status=self.status,
        )


class Notifier:
    """Queues notifications; :meth:`send_all` runs as long as the CA does."""

    def __init__(self, webhook: Webhook | None, now: Callable[[], datetime], dice: Random) -> None:
        """Take where to send to (None: nowhere yet, and nothing is queued), clock and dice."""
        self._webhook = webhook
        self._now = now
        self._dice = dice
        self._faults = NotifyFaults()
        self._queue: asyncio.Queue[_Notification] = asyncio.Queue()
        self._all: list[_Notification] = []

    def configure(self, webhook: Webhook) -> None:
        """Send to this place from now on."""
        self._webhook = webhook

    def fault(self, faults: NotifyFaults) -> None:
        """Drop, then send twice, the next ones."""
        self._faults = faults

    def notify(self, kind: str, person: str, fingerprint: str) -> None:
        """Queue one notification, unless there is no place to send it to."""
        if self._webhook is None:
            return
        name = f"msg_{self._dice.getrandbits(96):024x}"
        notification = _Notification(name, kind, person, fingerprint, self._now())
        self._all.append(notification)
        if self._faults.drop:
            self._faults = self._faults.model_copy(update={"drop": self._faults.drop - 1})
            notification.dropped = True
            return
        self._queue.put_nowait(notification)
        if self._faults.duplicate:
            self._faults = NotifyFaults(duplicate=self._faults.duplicate - 1)
            self._queue.put_nowait(notification)

    async def idle(self) -> None:
        """Wait until everything queued was accepted or given up."""
        await self._queue.join()

    def all(self) -> list[NotificationInfo]:
        """Every notification so far and what became of it."""
        return [notification.info() for notification in self._all]

    async def send_all(self) -> None:
        """Send what is queued, for ever."""
        async with ClientSession(timeout=TIME_LIMIT) as session:
            while True:
                notification = await self._queue.get()
                await self._deliver(session, notification)
                self._queue.task_done()

    async def _deliver(self, session: ClientSession, notification: _Notification) -> None:
        for pause in PAUSES:
            notification.status = await self._send(session, notification)
            if 200 <= notification.status < 300:  # noqa: PLR2004 - the class "successful"
                return
            await asyncio.sleep(pause)

    async def _send(self, session: ClientSession, notification: _Notification) -> int:
        """One try; the status of the answer, 0 when there was none."""
        webhook = self._webhook
        if webhook is None:
            return 0
        now = self._now()
        body = notification.body()
        notification.sent += 1
        try:
            headers = self._headers(webhook, notification, now, body)
            async with session.post(
                webhook.url, data=body.encode(), headers=headers, ssl=_tls(webhook)
            ) as response:
                return response.status
        except (ClientError, OSError):
            return 0

    @staticmethod
    def _headers(
        webhook: Webhook, notification: _Notification, now: datetime, body: str
    ) -> dict[str, str]:
        signer = Signer(webhook.secret_file.read_text().strip())
        return {
            "Content-Type": "application/json",
            "webhook-id": notification.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(notification.id, now, body),
        }


def _tls(webhook: Webhook) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=webhook.ca_file)
