"""The socket: who gets in, what is refused, and how it comes and goes."""

import asyncio
import json
import os
import socket as sockets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from connector.core.errors import Permanent, Rejected, Transient
from connector.operators.client import AdminClient
from connector.operators.peer import gatekeeper, peer_uid
from connector.operators.routes import admin_app
from connector.operators.server import AdminServer
from tests.operators.world import AdminWorld, holder
from tests.support import asked


def modes(socket: Path) -> tuple[int, int]:
    folder, own = socket.parent.stat(), socket.stat()
    return stat.S_IMODE(folder.st_mode), stat.S_IMODE(own.st_mode)


def folder_of(socket: Path) -> Iterator[Path]:
    return socket.parent.iterdir()


@pytest.fixture
def occupied(socket: Path) -> Iterator[Path]:
    """A path at which another file is; it is still there at the end."""
    socket.parent.mkdir()
    socket.write_text("precious")
    yield socket
    assert socket.read_text() == "precious"


async def test_the_socket_is_for_its_user_alone(world: AdminWorld, socket: Path) -> None:
    """Directory 0700, socket 0600; both work for the own user; the socket goes with the server."""
    async with AdminServer(world.service().handlers(), socket):
        assert modes(socket) == (0o700, 0o600)
        async with AdminClient(socket) as client:
            assert await asked.version(client) == "1.2.3"
    assert not list(folder_of(socket))


async def test_listed_users_reach_the_socket(world: AdminWorld, socket: Path) -> None:
    """With other users allowed, modes let them through, also where new files are private."""
    usual = os.umask(0o077)
    try:
        async with AdminServer(world.service().handlers(), socket, uids=[4242]):
            assert modes(socket) == (0o711, 0o666)
    finally:
        os.umask(usual)


async def test_a_peer_without_user_id_is_refused(world: AdminWorld) -> None:
    """Over anything but a Unix socket the caller is unknown: AUTH-004."""
    app = admin_app(world.service().handlers(), gatekeeper(()))
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/v1/overview")
        assert response.status == 403
        assert (await response.json())["code"] == "AUTH-004"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_user_is_refused(world: AdminWorld, socket: Path, tmp_path: Path) -> None:
    """A process of another user is recognised by the kernel's credentials, not by its own words."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-")) or folder == tmp_path:
            folder.chmod(0o755)
    script = (
        "import os,socket,sys;os.setuid(4243);s=socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[1]);"
        "s.sendall(b'GET /v1/version HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');"
        "print(s.makefile('rb').read().decode())"
    )
    async with AdminServer(world.service().handlers(), socket, uids=[4242]):
        said = await _python(script, str(socket))
    assert said.startswith("HTTP/1.1 403")
    assert json.loads(said.rpartition("\r\n")[2])["code"] == "AUTH-004"


async def _python(script: str, argument: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, argument, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode()


def test_the_peer_is_known_on_uvloop_too(tmp_path: Path) -> None:
    """The user id is read from the socket itself, whichever event loop serves it."""
    path = tmp_path / "peer.sock"

    async def asking() -> str:
        async def who(request: web.Request) -> web.Response:
            return web.Response(text=str(peer_uid(request)))

        app = web.Application()
        app.router.add_get("/", who)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.UnixSite(runner, str(path)).start()
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
            session.get("http://peer/") as response,
        ):
            said = await response.text()
        await runner.cleanup()
        return said

    assert uvloop.run(asking()) == str(os.getuid())


async def test_a_stale_socket_is_replaced(world: AdminWorld, socket: Path) -> None:
    """What a killed process left behind prevents no start."""
    socket.parent.mkdir()
    with sockets.socket(sockets.AF_UNIX) as dead:
        dead.bind(str(socket))
    async with AdminServer(world.service().handlers(), socket), AdminClient(socket) as client:
        assert await asked.version(client)


async def test_a_living_socket_is_left_alone(world: AdminWorld, socket: Path) -> None:
    """A second process does not take the socket away from the first."""
    async with AdminServer(world.service().handlers(), socket):
        with pytest.raises(Permanent) as refused:
            await AdminServer(world.service().handlers(), socket).__aenter__()
        assert refused.value.code == "ADM-002"
        async with AdminClient(socket) as client:
            assert await asked.version(client)


async def test_a_path_that_is_too_long_is_said_to_be(world: AdminWorld, tmp_path: Path) -> None:
    """The kernel has room for 107 bytes; the message has to say what to shorten."""
    with pytest.raises(Permanent, match="path too long") as refused:
        await AdminServer(
            world.service().handlers(), tmp_path / ("x" * 108) / "admin.sock"
        ).__aenter__()
    assert refused.value.code == "ADM-002"


async def test_a_file_in_the_way_is_left_alone(world: AdminWorld, occupied: Path) -> None:
    """What is no socket is never removed."""
    with pytest.raises(Permanent) as refused:
        await AdminServer(world.service().handlers(), occupied).__aenter__()
    assert refused.value.code == "ADM-002"


async def test_nobody_answers(tmp_path: Path) -> None:
    """Without a running service every question ends with ADM-001."""
    async with AdminClient(tmp_path / "missing.sock") as client:
        with pytest.raises(Transient) as away:
            await asked.overview(client)
    assert away.value.code == "ADM-001"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nowhere", "", 404, "EVT-006"),
        ("POST", "/v1/overview", "", 404, "EVT-006"),
        ("GET", "/v1/subjects?limit=marker", "", 400, "EVT-007"),
        ("GET", "/v1/subject?kind=marker&name=x", "", 400, "EVT-007"),
        ("GET", "/v1/subject?kind=holder&name=99", "", 404, "DLV-007"),
        ("POST", "/v1/acts", "{marker", 400, "EVT-007"),
        ("POST", "/v1/acts", '{"act": "marker"}', 400, "EVT-007"),
        ("POST", "/v1/acts", '{"act": "cancel", "holder": "12", "reason": " "}', 400, "EVT-007"),
        ("POST", "/v1/acts", f'{{"act": "cancel", "marker": "{"x" * 70_000}"}}', 413, "EVT-002"),
        ("POST", "/v1/plan", "[]", 400, "EVT-007"),
        (
            "POST",
            "/v1/dead-letters/settle",
            '{"act": "drop", "places": ["1/7"]}',
            400,
            "EVT-007",
        ),
        (
            "POST",
            "/v1/acts",
            '{"act": "deliver", "holder": "12", "drop_generation": "no"}',
            400,
            "EVT-007",
        ),
        ("POST", "/v1/audit/verify", '{"published": [{"partition": -1}]}', 400, "EVT-007"),
    ],
)
async def test_a_faulty_request_is_a_problem(
    world: AdminWorld, socket: Path, method: str, path: str, body: str, status: int, code: str
) -> None:
    """Problem JSON with a code, and nothing of what was sent."""
    await world.put(holder())
    connector = aiohttp.UnixConnector(str(socket))
    async with (
        AdminServer(world.service().handlers(), socket),
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, f"http://x{path}", data=body) as response,
    ):
        assert (response.status, response.content_type) == (status, "application/problem+json")
        problem = await response.json(content_type=None)
    assert problem["code"] == code
    assert "marker" not in json.dumps(problem["detail"])
    assert "_" not in problem["detail"].partition(" ")[2]


async def test_a_name_is_made_harmless(world: AdminWorld, socket: Path) -> None:
    """The name in ``--as`` cannot steer a terminal or forge a line."""
    await world.put(holder())
    headers = {"X-Operator": "an\tna  "}
    connector = aiohttp.UnixConnector(str(socket))
    act = {"act": "deliver", "holder": "12"}
    async with (
        AdminServer(world.service().handlers(), socket),
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://x/v1/acts", json=act, headers=headers) as response,
    ):
        assert response.status == 200
    (event,) = await world.events("corp/user/12")
    assert event.model_dump()["body"]["by"] == f"local:{os.getuid()} as anna"


async def test_what_the_service_refuses_arrives_as_it_was(client: AdminClient) -> None:
    """A refusal has the same family and code on both sides."""
    with pytest.raises(Rejected) as refused:
        await asked.detail(client, "holder", "nobody")
    assert refused.value.code == "DLV-007"
