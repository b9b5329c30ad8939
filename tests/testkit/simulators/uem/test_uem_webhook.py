"""The event notification sender, observed by a listener with TLS and Basic."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from defusedxml.ElementTree import fromstring

from connector_testkit.simulators.tls import issue_tls
from connector_testkit.simulators.uem import UemControl

PASSWORD = "marker-hook-password"


@dataclass
class Listener:
    """Collects what is posted; ``status`` is what it answers."""

    url: str = ""
    status: int = 200
    seen: "asyncio.Queue[tuple[str, bytes]]" = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.Response:
        expected = aiohttp.encode_basic_auth("hook", PASSWORD)
        if request.headers.get("Authorization") != expected:
            return web.Response(status=401)
        if request.method == "POST":
            self.seen.put_nowait((request.headers["Content-Type"], await request.read()))
        return web.Response(status=self.status)

    async def json(self) -> dict[str, Any]:
        """The next event, which is JSON."""
        content_type, body = await self.seen.get()
        assert content_type == "application/json; charset=utf-8"
        event: dict[str, Any] = orjson.loads(body)
        return event


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Listener]:
    files = issue_tls(tmp_path / "hook")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    listening, app = Listener(), web.Application()
    app.router.add_route("*", "/hook", listening.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    listening.url = f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield listening
    await runner.cleanup()


@pytest.fixture
def target(listener: Listener, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "hook-password").write_text(PASSWORD)
    files = {
        "password_file": str(tmp_path / "hook-password"),
        "ca_file": str(tmp_path / "hook" / "ca.pem"),
    }
    return {"url": listener.url, "user": "hook", **files}


@pytest.fixture
async def device(control: UemControl, target: dict[str, Any]) -> int:
    """A device whose enrolment was not announced; the webhook is aimed."""
    await control.aim_webhook(**target)
    user = await control.add_user("mmuster", email="m.muster@example.com")
    return await control.enrol(user, event=False)


async def test_an_enrolment_is_posted_with_all_members(
    control: UemControl, listener: Listener, device: int
) -> None:
    """One object, every member there, ids as numbers; the answer is in the ledger."""
    shown = await control.device(device)
    second = await control.enrol(shown["user"])
    event = await listener.json()
    assert (event["EventId"], event["EventType"]) == (148, "MDM Enrollment Complete")
    assert (event["DeviceId"], event["EnrollmentUserId"]) == (second, shown["user"])
    assert event["EnrollmentEmailAddress"] == "m.muster@example.com"
    assert event["EventTime"].endswith("Z")
    assert len(event) == 26
    entry = await control.wait_for("webhook", lambda each: each["device"] == second)
    assert (entry["status"], entry["event"]) == (200, "MDM Enrollment Complete")


async def test_an_unenrolment_names_no_user(
    control: UemControl, listener: Listener, device: int
) -> None:
    """User name and mail are empty; whether the id is, is a switch."""
    await control.unenrol(device)
    event = await listener.json()
    assert (event["EventId"], event["EnrollmentStatus"]) == (39, "Unenrolled")
    assert (event["EnrollmentUserName"], event["EnrollmentEmailAddress"]) == ("", "")
    assert event["EnrollmentUserId"] == 0
    await control.switch(unenrol_user_id="kept")
    await control.unenrol(device)
    assert (await listener.json())["EnrollmentUserId"] != 0


async def test_changes_of_a_device_are_posted(
    control: UemControl, listener: Listener, device: int
) -> None:
    """Compromise, compliance, system, group and a requested wipe have types of their own."""
    await control.change_device(device, compromised=True, compliance="NonCompliant")
    await control.change_device(device, system="18.0.0", group="Elsewhere")
    await control.wipe(device)
    types = {(await listener.json())["EventType"] for _ in range(5)}
    assert types == {
        "Compromised Status Changed",
        "Compliance Status Changed",
        "Device Operating System Changed",
        "Device Organization Group Changed",
        "DeviceEnterpriseWipeRequested",
    }


async def test_xml_has_the_same_members(
    control: UemControl, listener: Listener, device: int, target: dict[str, Any]
) -> None:
    """Root ``Eventlog``, empty members as empty elements."""
    await control.aim_webhook(**target, format="xml")
    await control.post_event(device, EventType="A & B")
    content_type, body = await listener.seen.get()
    assert content_type == "application/xml; charset=utf-8"
    root = fromstring(body)
    members = {element.tag: element.text for element in root}
    assert (root.tag, members["DeviceId"], members["EventType"]) == ("Eventlog", "15", "A & B")
    assert members["PhoneNumber"] is None


async def test_connection_test_is_a_get(
    control: UemControl, listener: Listener, target: dict[str, Any], tmp_path: Path
) -> None:
    """It tells the status; a wrong password shows as 401, an unknown certificate as nothing."""
    await control.aim_webhook(**target)
    assert await control.test_webhook() == 200
    (tmp_path / "hook-password").write_text("wrong")
    await control.aim_webhook(**target)
    assert await control.test_webhook() == 401
    issue_tls(tmp_path / "other")
    await control.aim_webhook(**{**target, "ca_file": str(tmp_path / "other" / "ca.pem")})
    assert await control.test_webhook() is None
    assert listener.seen.empty()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("byte_array", {"Udid": "System.Byte[]", "MACAddress": "System.Byte[]"}),
        ("empty_email", {"EnrollmentEmailAddress": ""}),
        ("old_spelling", {"EventType": "MDMEnrollmentComplete"}),
    ],
)
async def test_defects_of_old_releases(
    control: UemControl, listener: Listener, device: int, kind: str, expected: dict[str, str]
) -> None:
    """The next event has the defect, the one after it has not."""
    await control.webhook_fault(kind, event="enrollment")
    await control.post_event(device)
    await control.post_event(device)
    first, second = await listener.json(), await listener.json()
    assert expected.items() <= first.items()
    assert not expected.items() <= second.items()


async def test_old_dates_and_missing_user_id(
    control: UemControl, listener: Listener, device: int
) -> None:
    """Several faults meet in one event."""
    await control.webhook_fault("old_dates")
    await control.webhook_fault("no_user_id")
    await control.post_event(device)
    event = await listener.json()
    assert event["EventTime"].startswith("/Date(")
    assert "EnrollmentUserId" not in event


async def test_duplicates_second_spelling_and_drops(
    control: UemControl, listener: Listener, device: int
) -> None:
    """A duplicate is equal; the second spelling has another type and a later time."""
    await control.webhook_fault("duplicate")
    await control.post_event(device)
    assert await listener.json() == await listener.json()
    await control.webhook_fault("drop")
    await control.post_event(device)
    await control.webhook_fault("second_spelling")
    await control.post_event(device)
    first, second = await listener.json(), await listener.json()
    assert (first["EventType"], second["EventType"]) == (
        "MDM Enrollment Complete",
        "Enrollment Complete",
    )
    assert first["EventTime"][:22] < second["EventTime"][:22]  # to a hundredth of a second
    assert listener.seen.empty()


@pytest.mark.parametrize("kind", ["reorder", "delay"])
async def test_events_may_be_overtaken(
    control: UemControl, listener: Listener, device: int, kind: str
) -> None:
    """What is held back comes after what was posted later."""
    await control.webhook_fault(kind, seconds=0.2)
    await control.post_event(device, EventType="first")
    await control.post_event(device, EventType="second")
    order = [(await listener.json())["EventType"] for _ in range(2)]
    assert order == ["second", "first"]


async def test_a_refused_post_is_not_repeated_unless_told(
    control: UemControl, listener: Listener, device: int, target: dict[str, Any]
) -> None:
    """The ledger shows the status of each try."""
    listener.status = 503
    await control.post_event(device)
    await control.wait_for("webhook", lambda entry: entry["status"] == 503)
    await control.aim_webhook(**target, retries=2, retry_pause=0)
    await control.post_event(device, EventType="again")
    for _ in range(3):
        await listener.json()
    await control.wait_for("webhook", lambda entry: entry["event"] == "again")
    assert [await listener.json()][0]["EventType"] == "again"
