"""Notifications of the CA, received over TLS and verified by the Standard Webhooks library."""

import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from connector_testkit.simulators.ca.commands import Issue, NotifyFaults, Webhook
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.tls import issue_tls


@dataclass
class Receiver:
    """What arrived, and the statuses that are answered before 202."""

    secret: str
    statuses: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        Verifier(self.secret).verify(body, dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        self.bodies.append(json.loads(body))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)


@pytest.fixture
async def receiver(tmp_path: Path, control: CaControl) -> AsyncIterator[Receiver]:
    tls = issue_tls(tmp_path / "receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    secret = "whsec_" + b64encode(bytes(range(32))).decode()
    secret_file = tmp_path / "secret"
    secret_file.write_text(secret + "\n")
    receiver = Receiver(secret)
    application = web.Application()
    application.add_routes([web.post("/hooks/ca/corp", receiver.receive)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/hooks/ca/corp"
    await control.set_webhook(Webhook(url=url, secret_file=secret_file, ca_file=tls.ca))
    yield receiver
    await runner.cleanup()


async def test_each_change_is_told_signed(receiver: Receiver, control: CaControl) -> None:
    """Issued, renewed and revoked arrive in order, with person and fingerprint."""
    issued = await control.issue(Issue(person="mara.lind"))
    renewed = await control.renew("mara.lind")
    await control.revoke(issued.fingerprint)
    await control.notifications_idle()
    assert [(body["type"], body["data"]) for body in receiver.bodies] == [
        ("certificates.issued", {"person": "mara.lind", "fingerprint": issued.fingerprint}),
        ("certificates.renewed", {"person": "mara.lind", "fingerprint": renewed.fingerprint}),
        ("certificates.revoked", {"person": "mara.lind", "fingerprint": issued.fingerprint}),
    ]
    assert len(set(receiver.ids)) == 3


async def test_a_refused_notification_comes_again_under_its_id(
    receiver: Receiver, control: CaControl
) -> None:
    """It is sent until it is accepted, and keeps its id and its body."""
    receiver.statuses = [503, 500]
    await control.issue(Issue(person="mara.lind"))
    await control.notifications_idle()
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1
    assert receiver.bodies == [receiver.bodies[0]] * 3
    (info,) = await control.notifications()
    assert (info.sent, info.status, info.dropped) == (3, 202, False)


async def test_notifications_are_lost_and_doubled_on_command(
    receiver: Receiver, control: CaControl
) -> None:
    """The next is dropped, the one after it comes twice, the third once."""
    await control.fault_notifications(NotifyFaults(drop=1, duplicate=1))
    issued = [await control.issue(Issue(person="mara.lind")) for _ in range(3)]
    await control.notifications_idle()
    told = [body["data"]["fingerprint"] for body in receiver.bodies]
    assert told == [issued[1].fingerprint] * 2 + [issued[2].fingerprint]
    assert [info.dropped for info in await control.notifications()] == [True, False, False]


async def test_nothing_is_told_unless_asked(receiver: Receiver, control: CaControl) -> None:
    """`notify` false keeps quiet: the sweep has to find it."""
    await control.issue(Issue(person="mara.lind", notify=False))
    await control.notifications_idle()
    assert receiver.bodies == []
