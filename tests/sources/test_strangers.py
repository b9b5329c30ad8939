"""Thousands of strangers: callers that authenticated before are served all the while."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from itertools import islice
from pathlib import Path

import pytest

from connector.sources.tenants import Limits, Listener
from connector_testkit.simulators.tls import issue_tls
from tests.patience import PATIENCE, SLOWNESS
from tests.sources.test_http import RENEWAL
from tests.sources.world import (
    CA,
    DATA,
    JSON,
    UEM,
    World,
    basic,
    changed,
    serving,
    signed,
)

ENROLMENT = (DATA / "enrolment.json").read_bytes()
NOT_FOUND = b"GET /wp-login.php HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = f"POST {UEM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
AUTHORIZED = HEAD + f"Authorization: {basic()['Authorization']}\r\n".encode()
AT_ONCE = 20


@asynccontextmanager
async def over_tls(path: Path, limits: Limits) -> AsyncIterator[tuple[World, ssl.SSLContext]]:
    """A listener that any peer may connect to; without TLS only listed proxies may."""
    files = issue_tls(path / "tls")
    context = ssl.create_default_context(cafile=str(files.ca))
    listener = Listener("127.0.0.1", 0, certificate=files.certificate, key=files.key)
    async with serving(path, limits=limits, listener=listener) as world:
        yield world, context


async def dial(
    world: World, context: ssl.SSLContext | None, source: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection from an address of loopback."""
    return await asyncio.open_connection(
        "127.0.0.1", world.server.port, ssl=context, local_addr=(source, 0)
    )


async def cut(*writers: asyncio.StreamWriter) -> None:
    """End connections, those that were ended by the other side, too."""
    for writer in writers:
        writer.transport.abort()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def status(world: World, context: ssl.SSLContext) -> int:
    """What a notification over a new connection from 127.0.0.1 is answered."""
    url = world.url().replace("http:", "https:")
    headers = JSON | basic() | {"Connection": "close"}
    async with world.client.post(url, data=ENROLMENT, headers=headers, ssl=context) as answer:
        return answer.status


async def notified(world: World, context: ssl.SSLContext, number: int) -> bytes:
    """What a CA's signed notification over a new connection from 127.0.0.2 is answered."""
    reader, writer = await dial(world, context, "127.0.0.2")
    headers = JSON | signed(RENEWAL, name=f"msg_{number}") | {"Connection": "close"}
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {CA} HTTP/1.1\r\nHost: x\r\n{''.join(lines)}"
    writer.write(f"{head}Content-Length: {len(RENEWAL)}\r\n\r\n".encode() + RENEWAL)
    answer = await ended(reader)
    await cut(writer)
    return answer[: len("HTTP/1.1 202")]


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side has closed, in whichever way."""
    got = b""
    with suppress(ConnectionError, ssl.SSLError):
        async with asyncio.timeout(PATIENCE):
            while part := await reader.read(4096):
                got += part
    return got


@pytest.mark.parametrize(
    ("sources", "crowd_size"), [(1, 1000), (200, 3000)], ids=["one address", "many addresses"]
)
async def test_known_callers_are_served_beside_thousands_of_strangers(
    tmp_path: Path, sources: int, crowd_size: int
) -> None:
    """Each stranger connects, perhaps asks for something, and stays; none ever logs in.

    Known are one that logged in with a password, and a CA that signed a notification.
    """
    limits = changed(connections=64, per_address=8)
    async with over_tls(tmp_path, limits) as (world, context):
        assert await status(world, context) == 200
        assert await notified(world, context, 0) == b"HTTP/1.1 202"

        async def strangers(first: int) -> None:
            for number in range(first, crowd_size, AT_ONCE):
                with suppress(ConnectionError, ssl.SSLError):
                    _, writer = await dial(world, context, f"127.1.1.{number % sources + 1}")
                    open_ones.append(writer)
                    if number % 3 == 0:
                        writer.write(NOT_FOUND)

        open_ones: list[asyncio.StreamWriter] = []
        answers: list[int] = []
        signed_answers: list[bytes] = []
        async with asyncio.TaskGroup() as group:
            crowd = [group.create_task(strangers(first)) for first in range(AT_ONCE)]
            while not all(one.done() for one in crowd):
                asked = notified(world, context, len(answers) + 1)
                with_password, with_signature = await asyncio.gather(status(world, context), asked)
                answers.append(with_password)
                signed_answers.append(with_signature)
                assert world.tally.open <= limits.connections
        assert set(answers) == {200}
        assert set(signed_answers) == {b"HTTP/1.1 202"}
        assert len(answers) > 5
        assert len(open_ones) > crowd_size * 0.9
        await cut(*open_ones)


async def test_a_connection_that_logged_in_stays_while_strangers_come(tmp_path: Path) -> None:
    """The oldest stranger goes, although the known caller came before it."""
    async with over_tls(tmp_path, changed(connections=8, per_address=8)) as (world, context):
        reader, writer = await dial(world, context)
        known = AUTHORIZED + f"Content-Length: {len(ENROLMENT)}\r\n\r\n".encode() + ENROLMENT
        for turn in range(3):
            writer.write(known)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 "), turn
            first, one = await dial(world, context, "127.1.1.1")
            others = [await dial(world, context, f"127.1.1.{n}") for n in range(2, 9)]
            assert await ended(first) == b""
            await cut(one, *(stream for _, stream in others))
        await cut(writer)


@pytest.mark.parametrize(
    ("request_bytes", "stays"),
    [
        (NOT_FOUND, False),
        (HEAD + b"Authorization: Basic eDp5\r\nContent-Length: 2\r\n\r\n{}", False),
        (HEAD + b"Content-Length: 2\r\n\r\n{}", True),
        (HEAD.replace(b"POST", b"PUT") + b"Content-Length: 2\r\n\r\n{}", False),
    ],
    ids=["no such address", "wrong password", "challenge", "no such method"],
)
async def test_a_refusal_ends_a_strangers_connection(
    tmp_path: Path,
    request_bytes: bytes,
    stays: bool,  # noqa: FBT001
) -> None:
    """Only the challenge leaves it open, once, for the answer; and then it is a known caller's."""
    async with serving(tmp_path) as world:
        reader, writer = await dial(world, None)
        writer.write(request_bytes)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert (b"Connection: close" not in answer) == stays
        if stays:
            await reader.readuntil(b"}")
            writer.write(AUTHORIZED + f"Content-Length: {len(ENROLMENT)}\r\n\r\n".encode())
            writer.write(ENROLMENT)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.write(NOT_FOUND)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b"Connection: close" not in answer
        else:
            assert (await ended(reader)).endswith(b"}")
        await cut(writer)


async def test_a_second_challenge_ends_the_connection(world: World) -> None:
    """Asking without ever answering holds no place."""
    reader, writer = await dial(world, None)
    writer.write((HEAD + b"Content-Length: 2\r\n\r\n{}") * 2)
    assert (await ended(reader)).count(b"HTTP/1.1 401 ") == 2
    await cut(writer)


async def test_headers_of_strangers_are_limited_together(tmp_path: Path) -> None:
    """All of one: 413. All of all: the oldest goes. Nothing is kept when they are gone."""
    limits = changed(stranger_bytes=40_000)
    async with serving(tmp_path, limits=limits) as world:
        field = b"X-Filler: " + b"x" * 7000 + b"\r\n"
        answer = await world.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + field * 3)
        assert answer.startswith(b"HTTP/1.1 413 ")
        answer = await world.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + field * 3 + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 413 ")
        strangers = [await dial(world, None) for _ in range(10)]
        ends = [asyncio.ensure_future(ended(reader)) for reader, _ in strangers]
        for _, writer in strangers:
            writer.write(b"GET / HTTP/1.1\r\n" + field * 2)
        for end in islice(asyncio.as_completed(ends), 8):
            assert await end == b""
        assert sum(end.done() for end in ends) == 8
        async with world.client.post(world.url(), data=ENROLMENT, headers=JSON | basic()) as known:
            assert known.status == 200
        await cut(*(writer for _, writer in strangers))
        await asyncio.gather(*ends)


async def test_a_large_notification_may_wait_for_the_challenge(world: World) -> None:
    """The body of a request without credentials is dropped, not held against the sender."""
    body = ENROLMENT + b" " * 60_000
    for _ in range(2):
        async with world.client.post(world.url(), data=body, headers=JSON) as answer:
            assert answer.status == 401
        async with world.client.post(world.url(), data=body, headers=JSON | basic()) as answer:
            assert answer.status == 200
    async with world.client.post(
        world.url(CA), data=RENEWAL, headers=JSON | signed(RENEWAL)
    ) as answer:
        assert answer.status == 202


class Deaf:
    """A TLS client that never answers close_notify, or never reads; over a blocking socket."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")
        self.shake()

    def shake(self) -> None:
        while True:
            try:
                self.session.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                self.incoming.write(self.socket.recv(65536))
            else:
                self.socket.sendall(self.outgoing.read())
                return

    def send(self, data: bytes) -> None:
        self.session.write(data)
        self.socket.sendall(self.outgoing.read())


async def until_nobody_is_left(world: World) -> None:
    await asyncio.wait_for(world.tally.deserted.wait(), PATIENCE)


async def test_a_peer_that_ignores_goodbye_is_cut(tmp_path: Path) -> None:
    """Silent for the idle time, then closed with a goodbye, then cut; the metric says so, too."""
    async with over_tls(tmp_path, changed(idle=0.1)) as (world, context):
        deaf = await asyncio.to_thread(Deaf, world.server.port, context)
        begun = asyncio.get_running_loop().time()
        await until_nobody_is_left(world)
        assert asyncio.get_running_loop().time() - begun < 10 * SLOWNESS
        deaf.socket.close()


async def test_a_peer_that_never_reads_is_cut(tmp_path: Path) -> None:
    """Its answers fill all buffers; after the idle time it is gone."""
    request = AUTHORIZED.replace(b"application/json", b"text/plain") + b"Content-Length: 0\r\n\r\n"
    async with serving(tmp_path, limits=changed(idle=0.2)) as world:
        (listening,) = world.server._server.sockets
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", world.server.port))
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    await loop.sock_sendall(deaf, request * 100)
        deaf.close()
        await until_nobody_is_left(world)


async def test_a_proxy_is_not_limited_by_its_address(tmp_path: Path) -> None:
    """All clients come from it: ten unauthenticated connections of a listed proxy stay open."""
    listener = Listener("127.0.0.1", 0, proxies=(ip_network("127.0.0.1/32"),))
    limits = changed(per_address=2)
    async with serving(tmp_path, limits=limits, listener=listener) as world:
        writers = [(await dial(world, None))[1] for _ in range(10)]
        async with world.client.get(world.url(), headers=basic()):
            assert world.tally.open == 11
        await cut(*writers)
