"""The listener over real sockets, with a real journal behind it."""

import asyncio
import json
from pathlib import Path

import pytest

from connector.core.errors import Permanent, Transient
from connector.core.events import CertificatesChanged
from connector.core.secret import Credential
from connector.sources.tenants import BasicSender, Limits, SigningSender
from tests.sources.world import CA, DATA, JSON, UEM, World, basic, serving, signed, sources

ENROLMENT = (DATA / "enrolment.json").read_bytes()
RENEWAL = json.dumps(
    {
        "type": "certificates.renewed",
        "timestamp": "2026-03-05T08:40:00Z",
        "data": {"person": "m.muster"},
    }
).encode()


async def post(
    world: World, headers: dict[str, str], path: str = UEM, body: bytes = ENROLMENT
) -> int:
    async with world.client.post(world.url(path), data=body, headers=JSON | headers) as answer:
        return answer.status


async def test_notification_is_durable_before_it_is_answered(tmp_path: Path) -> None:
    """While the append has not returned there is no answer; then it is 200 and in the journal."""
    gate = asyncio.Event()
    async with serving(tmp_path, step=gate) as world, asyncio.TaskGroup() as group:
        answer = group.create_task(post(world, basic()))
        await world.until_appending()
        assert not answer.done()
        assert await world.stored() == []
        gate.set()
        assert await answer == 200
        assert [event.subject for event in await world.stored()] == ["acme/device/15"]


async def test_known_id_is_answered_well_and_changes_nothing(world: World) -> None:
    """The same enrolment as JSON, as JSON again and as XML is one event."""
    xml = (DATA / "enrolment.xml").read_bytes()
    assert await post(world, basic()) == 200
    assert await post(world, basic()) == 200
    assert await post(world, basic() | {"Content-Type": "text/xml"}, body=xml) == 200
    assert len(await world.stored()) == 1
    assert [outcome for *_, outcome in world.tally.events] == ["accepted", "duplicate", "duplicate"]


async def test_success_status_is_the_tenants(world: World) -> None:
    """One console wants 200, another may want 202."""
    assert await post(world, basic("uem", "another"), "/hooks/workspace-one/lonely") == 202


async def test_type_without_meaning_is_counted_and_answered_well(world: World) -> None:
    """The console may send all its events; only those that concern us are kept."""
    body = (DATA / "mobile-country-changed.json").read_bytes()
    assert await post(world, basic(), body=body) == 200
    assert await world.stored() == []
    assert world.tally.events == [("workspace-one", "other", "ignored")]


async def test_signed_notification_of_the_ca_is_taken(world: World) -> None:
    """202; a repeat of the id with a new time and signature is 202 and nothing new."""
    assert await post(world, signed(RENEWAL), CA, RENEWAL) == 202
    later = signed(RENEWAL, at=world.clock.wall // 1000 + 60, secret=1)
    assert await post(world, later, CA, RENEWAL) == 202
    (event,) = await world.stored()
    assert event.subject == "main/person/m.muster"
    assert event.body == CertificatesChanged(what="renewed")


async def test_console_can_test_the_connection(world: World) -> None:
    """GET with credentials is 200, without them 401: the button shows the truth."""
    async with world.client.get(world.url(), headers=basic()) as answer:
        assert (answer.status, await answer.text()) == (200, "OK")
    async with world.client.get(world.url()) as answer:
        assert answer.status == 401
    assert world.tally.events == []


@pytest.mark.parametrize("path", [UEM, "/hooks/workspace-one/nobody", "/hooks/workspace-one/"])
async def test_stranger_learns_nothing(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Wrong password and unknown tenant get the very same bytes, date aside; the log says who."""
    async with world.client.post(
        world.url(path), data=ENROLMENT, headers=JSON | basic("uem", "wrong")
    ) as answer:
        body = await answer.json(content_type="application/problem+json")
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="pki-connector", charset="UTF-8"'
    assert body == {
        "type": "urn:pki-connector:error:AUTH-001",
        "title": "Caller not known",
        "status": 401,
        "detail": "Wrong credentials, or an unknown tenant in the path.",
        "code": "AUTH-001",
        "retryable": False,
    }
    assert await world.stored() == []
    assert world.tally.refused == [("workspace-one", "AUTH-001")]
    (line,) = [one for one in caplog.records if one.message == "intake.sender_refused"]
    said = line.__dict__
    assert (said["client"], said["source"], said["error_code"]) == (
        "127.0.0.1",
        "workspace-one",
        "AUTH-001",
    )
    assert said["tenant"] == ("acme" if path == UEM else "")
    assert "d3Jvbmc" not in str(said)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        (UEM, b"{", JSON | basic(), 400, "EVT-001"),
        (UEM, b"{}", JSON | basic() | {"Content-Type": "text/plain"}, 415, "EVT-004"),
        (UEM, b"{}", JSON | basic() | {"Content-Type": ""}, 415, "EVT-004"),
        (UEM, b"{}", JSON | basic() | {"Content-Encoding": "gzip"}, 415, "EVT-004"),
        (UEM, b" " * 65_537, JSON | basic(), 413, "EVT-002"),
        (UEM, b" " * 65_537, JSON, 401, "AUTH-005"),
        (CA, RENEWAL, JSON, 401, "AUTH-005"),
        (CA, RENEWAL + b" ", JSON | signed(RENEWAL), 401, "AUTH-002"),
        (CA, RENEWAL, signed(RENEWAL) | {"Content-Type": "text/xml"}, 415, "EVT-004"),
        (CA, b" " * 65_537, JSON | signed(RENEWAL), 413, "EVT-002"),
        ("/hooks/ca/other", RENEWAL, JSON | signed(RENEWAL), 401, "AUTH-002"),
        ("/hooks/other/acme", b"{}", JSON | basic(), 404, "EVT-006"),
        ("/", b"{}", JSON, 404, "EVT-006"),
    ],
)
async def test_refusals_have_their_code(
    world: World, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """Each fault of the sender has a status and a stable code, and nothing is stored."""
    async with world.client.post(world.url(path), data=body, headers=headers) as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
    assert await world.stored() == []


async def test_chunked_body_is_limited_as_well(world: World) -> None:
    """A body that does not tell its size is read no further than the limit."""

    async def chunks() -> object:
        for _ in range(100):
            yield b" " * 1000

    async with world.client.post(world.url(), data=chunks(), headers=JSON | basic()) as answer:
        assert answer.status == 413


async def test_method_that_is_not_served_names_those_that_are(world: World) -> None:
    """405 with Allow."""
    async with world.client.put(world.url(), headers=basic()) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST, GET")
    async with world.client.get(world.url(CA)) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "fault", [Transient("JRN-001"), Permanent("JRN-002"), Transient("EVT-003", retry_after=7)]
)
async def test_journal_that_cannot_take_it_is_503(
    tmp_path: Path, fault: Transient | Permanent
) -> None:
    """Never a false 2xx: the sender is asked to come again, and when."""
    async with serving(tmp_path, step=fault) as world:
        async with world.client.post(world.url(), data=ENROLMENT, headers=JSON | basic()) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == ("7" if fault.retry_after else "5")
        assert world.tally.events == [("workspace-one", "unread", "overload")]


async def test_disk_that_stalls_is_503_before_the_sender_gives_up(tmp_path: Path) -> None:
    """No caller is left without an answer because a sync hangs."""
    stalled = asyncio.Event()
    async with serving(tmp_path, step=stalled, limits=Limits(append_time=0.05)) as world:
        async with world.client.post(world.url(), data=ENROLMENT, headers=JSON | basic()) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert world.tally.events == [("workspace-one", "unread", "overload")]


async def test_nothing_that_was_sent_is_answered(world: World) -> None:
    """No refusal holds a piece of path, header or body."""
    marker = "MARKER-7c3d"
    requests = [
        ("POST", f"/hooks/workspace-one/{marker}", {}, b""),
        ("POST", f"/{marker}", {}, b""),
        (marker, UEM, {}, b""),
        ("POST", UEM, basic(marker, marker), b""),
        ("POST", UEM, JSON | basic(), f'{{"EventId": "{marker * 9}"}}'.encode()),
        ("POST", UEM, basic() | {"Content-Type": marker}, b"{}"),
        ("POST", CA, JSON | signed(RENEWAL, name=marker), RENEWAL + b" "),
    ]
    for method, path, headers, body in requests:
        async with world.client.request(
            method, world.url(path), headers=headers, data=body
        ) as answer:
            assert answer.status >= 400
            assert marker not in await answer.text() + str(answer.headers)


async def test_replaced_senders_count_at_once(world: World) -> None:
    """After a rotation the new password is right and the old one is not."""
    rotated = BasicSender("acme", (("uem", Credential("rotated")),))
    world.server.replace_sources(sources([rotated]))
    assert await post(world, basic()) == 401
    assert await post(world, basic("uem", "rotated")) == 200


def test_a_source_refuses_an_unusable_secret() -> None:
    """It is not made at all, so that the senders before stay in force."""
    with pytest.raises(Permanent, match="CFG-003"):
        sources(cas=[SigningSender("main", (Credential("no base64"),))])


@pytest.mark.parametrize("path", ["/hooks/workspace_one/acme", UEM])
async def test_the_type_in_the_address_is_the_name_of_the_source(world: World, path: str) -> None:
    """Both ways of writing it lead to the same senders, and to one event."""
    assert await post(world, basic(), path) == 200
    assert [event.subject for event in await world.stored()] == ["acme/device/15"]


async def test_encoded_path_is_the_same_path(world: World) -> None:
    """A percent-encoded letter or a query string change nothing."""
    for path in ("/hooks/workspace-one/ac%6De", UEM + "?x=1"):
        assert await post(world, basic(), path) == 200


async def test_old_protocol_and_close_are_honoured(world: World) -> None:
    """HTTP/1.0 gets its answer and the end of the connection."""
    head = f"POST {UEM} HTTP/1.0\r\nAuthorization: {basic()['Authorization']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(ENROLMENT)}\r\n\r\n"
    assert (await world.raw(head.encode() + ENROLMENT)).startswith(b"HTTP/1.0 200 OK\r\n")


async def test_ready_answer_is_complete(world: World) -> None:
    """The prebuilt answer has a date and a length, and the connection stays open."""
    one = f"POST {UEM} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic()['Authorization']}\r\n"
    one += f"Content-Type: application/json\r\nContent-Length: {len(ENROLMENT)}\r\n"
    first, last = (
        f"{one}\r\n".encode() + ENROLMENT,
        f"{one}Connection: close\r\n\r\n".encode() + ENROLMENT,
    )
    answers = (await world.raw(first + last)).split(b"HTTP/1.1 ")[1:]
    assert len(answers) == 2
    for answer in answers:
        assert answer.startswith(b"200 OK\r\n")
        assert b"Content-Length: 0\r\n" in answer
        assert b"\r\nDate: " in answer
        assert answer.endswith(b"\r\n\r\n")
