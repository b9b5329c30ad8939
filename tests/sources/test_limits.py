"""How much a caller may send, and for how long."""

import asyncio
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.core.errors import Permanent
from connector.core.metrics import NoMetrics
from connector.sources.server import IntakeServer, Surroundings
from connector.sources.tenants import Limits, Listener
from tests.sources.world import (
    CA,
    DATA,
    JSON,
    LOOPBACK,
    UEM,
    World,
    basic,
    changed,
    journal_at,
    serving,
    signed,
)
from tests.support.clocks import ManualClock

ENROLMENT = (DATA / "enrolment.json").read_bytes()
HEAD = f"POST {UEM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
AUTHORIZED = HEAD + f"Authorization: {basic()['Authorization']}\r\n".encode()


def with_length(head: bytes, length: int) -> bytes:
    return head + f"Content-Length: {length}\r\n\r\n".encode()


WRONG = basic("uem", "wrong")
OTHER_TENANT = "/hooks/workspace-one/nobody"


async def statuses(world: World, *requests: tuple[str, str, dict[str, str]]) -> list[int]:
    """What each of these requests (method, path, headers) is answered, one after the other."""
    found = []
    for method, path, headers in requests:
        async with world.client.request(
            method, world.url(path), data=ENROLMENT, headers=JSON | headers
        ) as answer:
            found.append(answer.status)
    return found


async def test_address_that_failed_too_often_waits(tmp_path: Path) -> None:
    """429 until the window ends, and no more lines in the log."""
    async with serving(tmp_path, limits=changed(failed_tries=2)) as world:
        assert await statuses(world, *[("GET", UEM, WRONG)] * 2) == [401, 401]
        async with world.client.get(world.url(), headers=WRONG) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["code"]) == (429, "AUTH-003")
            assert answer.headers["Retry-After"] == "60"
        assert len(world.tally.refused) == 2
        world.clock.seconds += 60
        assert await statuses(world, ("GET", UEM, WRONG)) == [401]


@pytest.mark.parametrize("path", [UEM, OTHER_TENANT, CA])
async def test_the_right_credentials_pass_whatever_failed_before(tmp_path: Path, path: str) -> None:
    """A caller who shares an address with a guesser is served at every address."""
    guess = WRONG if path != CA else signed(ENROLMENT) | {"webhook-id": "other"}
    async with serving(tmp_path, limits=changed(failed_tries=2)) as world:
        assert (await statuses(world, *[("POST", path, guess)] * 3))[-1] == 429
        good = [("POST", UEM, basic()), ("GET", UEM, basic()), ("POST", CA, signed(ENROLMENT))]
        # The body is no notification of a CA: 400 comes after the signature was found right.
        assert await statuses(world, *good) == [200, 200, 400]


async def test_failures_belong_to_one_tenant(tmp_path: Path) -> None:
    """An unknown tenant looks like a known one, and neither uses up the tries of another."""
    async with serving(tmp_path, limits=changed(failed_tries=1)) as world:
        for path in (OTHER_TENANT, UEM, "/hooks/workspace-one/lonely"):
            assert await statuses(world, *[("GET", path, WRONG)] * 2) == [401, 429]


async def test_failed_signatures_count_too(tmp_path: Path) -> None:
    """Guessing at the CA's door is braked by a count as well."""
    async with serving(tmp_path, limits=changed(failed_tries=1)) as world:
        guess = ("POST", CA, signed(ENROLMENT) | {"webhook-id": "other"})
        assert await statuses(world, guess, guess) == [401, 429]


@pytest.mark.parametrize("path", [UEM, CA])
async def test_a_sender_that_waits_for_the_challenge_is_served(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each notification first comes without credentials: nothing was guessed, nothing counts."""
    known = basic() if path == UEM else signed(ENROLMENT)
    first, second = ("POST", path, dict[str, str]()), ("POST", path, known)
    async with serving(tmp_path, limits=changed(failed_tries=2)) as world:
        found = await statuses(world, *(first, second) * 25)
        assert found == [401, 200 if path == UEM else 400] * 25
        assert world.tally.refused == []
        assert world.tally.events[0][1:] == ("unread", "challenged")
    assert caplog.records == []


@pytest.mark.parametrize("port", ["", ":49152"])
async def test_behind_a_proxy_each_client_has_its_own_count(tmp_path: Path, port: str) -> None:
    """The last address that is no proxy counts, not what the client wrote before it."""
    async with serving(tmp_path, limits=changed(failed_tries=1)) as world:

        async def status(forwarded: str) -> int:
            (found,) = await statuses(world, ("GET", UEM, WRONG | {"X-Forwarded-For": forwarded}))
            return found

        assert await status(f"192.0.2.1{port}") == 401
        assert await status(f"198.51.100.7, 192.0.2.1{port}, 127.0.0.9{port}") == 429
        assert await status(f"192.0.2.1, 198.51.100.7{port}") == 401
        assert await status(f"203.0.113.9{port}, nonsense") == 401
        assert await status("more nonsense") == 429


async def test_plain_http_is_for_listed_proxies_only(tmp_path: Path) -> None:
    """Other peers are disconnected without an answer."""
    elsewhere = Listener("127.0.0.1", 0, proxies=(ip_network("192.0.2.0/24"),))
    async with serving(tmp_path, listener=elsewhere) as world:
        assert await world.raw(AUTHORIZED + b"\r\n") == b""


async def test_neither_certificate_nor_proxy_is_refused(tmp_path: Path) -> None:
    """A listener that could be read on the wire does not start."""
    async with journal_at(tmp_path / "journal.db") as journal:
        surroundings = Surroundings(journal, ManualClock(), NoMetrics())
        with pytest.raises(Permanent) as caught:
            IntakeServer(Listener("127.0.0.1", 0), Limits(), {}, surroundings)
    assert caught.value.code == "CFG-001"


async def test_unauthorised_body_is_not_waited_for(world: World) -> None:
    """An unknown caller is answered before the body has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(with_length(HEAD, 60_000))
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    await writer.wait_closed()


async def test_body_that_dribbles_is_given_up(tmp_path: Path) -> None:
    """408 when it has not come in time."""
    async with serving(tmp_path, limits=changed(body_time=0.05)) as world:
        answer = await world.raw(with_length(AUTHORIZED, 1000) + b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"EVT-009"' in answer


async def test_sender_that_asks_first_is_told_to_go_on(world: World) -> None:
    """Expect: 100-continue (RFC 9110 section 10.1.1), as .NET senders do, after the credentials."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(with_length(AUTHORIZED + b"Expect: 100-continue\r\n", len(ENROLMENT)))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(ENROLMENT)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("begun", [b"", b"POST /hooks", HEAD])
async def test_silent_connection_is_closed(tmp_path: Path, begun: bytes) -> None:
    """No request, or half of one, and then silence: closed after the idle time."""
    async with serving(tmp_path, limits=changed(idle=0.05)) as world:
        assert await world.raw(begun) == b""


async def test_connections_are_limited(tmp_path: Path) -> None:
    """One more than allowed is asked to come again; when one has gone there is room."""
    async with serving(tmp_path, limits=changed(connections=1)) as world:
        async with world.client.get(world.url(), headers=basic()) as answer:
            assert answer.status == 200
        assert world.tally.open == 1
        refused = await world.raw(b"")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: " in refused
        assert b'"code":"EVT-003"' in refused


async def test_bodies_together_are_limited(tmp_path: Path) -> None:
    """While one body fills the room the next is 503; room is given back at the end."""
    async with serving(tmp_path, limits=changed(bodies_in_flight=1500)) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
        writer.write(with_length(AUTHORIZED + b"Expect: 100-continue\r\n", len(ENROLMENT)))
        await reader.readuntil(b"\r\n\r\n")
        async with world.client.post(world.url(), data=ENROLMENT, headers=JSON | basic()) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        writer.write(ENROLMENT)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
        async with world.client.post(world.url(), data=ENROLMENT, headers=JSON | basic()) as answer:
            assert answer.status == 200


async def test_bodies_of_unknown_callers_keep_no_uem_out(tmp_path: Path) -> None:
    """The room for bodies that must be read before their signature is checked is a room apart."""
    async with serving(tmp_path, limits=changed(bodies_in_flight=1500)) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
        head = HEAD.replace(UEM.encode(), CA.encode())
        writer.write(with_length(head + b"Expect: 100-continue\r\n", 1500))
        await reader.readuntil(b"\r\n\r\n")
        async with world.client.post(world.url(), data=ENROLMENT, headers=JSON | basic()) as answer:
            assert answer.status == 200
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n\r\n", 413, "EVT-002"),
        (b"GET / HTTP/1.1\r\nX: " + b"MARKER" * 2_000 + b"\r\n\r\n", 413, "EVT-002"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100 + b"\r\n", 400, "EVT-007"),
        (b"MARKER\r\n\r\n", 400, "EVT-007"),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "EVT-007"),
        (b"POST / HTTP/1.1\r\nContent-Length: MARKER\r\n\r\n", 400, "EVT-007"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "EVT-007",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_no_http_is_refused_quietly(
    world: World,
    caplog: pytest.LogCaptureFixture,
    request_bytes: bytes,
    status: int,
    code: str,
) -> None:
    """Problem JSON and the end of the connection; nothing of it is repeated or logged."""
    answer = await world.raw(request_bytes)
    assert answer.startswith(f"HTTP/1.0 {status} ".encode())
    assert f'"code":"{code}"'.encode() in answer
    assert b"MARKER" not in answer
    assert caplog.records == []


async def test_broken_chunk_is_the_senders_fault(world: World) -> None:
    """400, not 500."""
    answer = await world.raw(AUTHORIZED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=400), is_xml=st.booleans())
def test_arbitrary_bodies_are_never_our_fault(
    tmp_path_factory: pytest.TempPathFactory,
    body: bytes,
    is_xml: bool,  # noqa: FBT001
) -> None:
    """Every post of an authenticated sender is 200 or 400, never 5xx."""

    async def statuses() -> set[int]:
        kind = {"Content-Type": "application/xml" if is_xml else "application/json"}
        async with (
            serving(tmp_path_factory.mktemp("journal")) as world,
            world.client.post(world.url(), data=body, headers=basic() | kind) as answer,
        ):
            return {answer.status}

    assert asyncio.run(statuses()) <= {200, 400}


async def test_stop_lets_the_work_end(tmp_path: Path) -> None:
    """A request at work is answered, a silent connection is closed, the port is free."""
    step = asyncio.Event()
    listener = Listener("127.0.0.1", 0, proxies=LOOPBACK)
    async with asyncio.TaskGroup() as group:
        async with serving(tmp_path, step=step, listener=listener) as world:
            port = world.server.port
            silent, idle = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(with_length(AUTHORIZED, len(ENROLMENT)) + ENROLMENT)
            await world.until_appending()
            finish = group.create_task(_release(step, silent))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        await finish
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        for stream in (writer, idle):
            stream.close()
            await stream.wait_closed()


async def _release(step: asyncio.Event, silent: asyncio.StreamReader) -> None:
    """Only when the stop has closed the silent connection may the append go on."""
    assert await silent.read() == b""
    step.set()
