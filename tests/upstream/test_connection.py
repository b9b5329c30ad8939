"""The shared client and the connection: time limits, TLS both ways, proxies."""

import asyncio
import socket
import ssl
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from connector.core.errors import ConnectorError, Permanent, Scope, Transient
from connector.upstream import Upstream
from connector.upstream.session import tls_context
from connector_testkit.simulators.tls import issue_tls
from tests.upstream.conftest import Place


async def test_an_answer_that_stalls_concerns_only_who_asked(place: Place) -> None:
    """Headers came, so the upstream is there: the route is not paused for it."""
    over = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 10
        await response.prepare(request)
        await response.write(b"a")
        await over.wait()
        return response

    place.handler = stall
    async with place.upstream(timeout=0.2) as upstream:
        with pytest.raises(Transient, match="CA-001") as caught:
            await upstream.look(("x",))
    over.set()
    assert caught.value.scope is Scope.SUBJECT


async def silence(place: Place, over: asyncio.Event) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    place.handler = handler


async def scopes(upstream: Upstream, *names: str) -> list[Scope]:
    found = []
    for name in names:
        with pytest.raises(Transient) as caught:
            await upstream.look((name,))
        found.append(caught.value.scope)
    return found


async def test_no_answer_in_time_concerns_who_asked(place: Place) -> None:
    """One record that the server cannot handle stops no other, however often it is asked for."""
    over = asyncio.Event()
    await silence(place, over)
    async with place.upstream(timeout=0.1) as upstream:
        assert await scopes(upstream, "a", "a", "a", "a") == [Scope.SUBJECT] * 4
        assert len(place.seen) == 4
    over.set()


async def test_no_answer_to_many_is_a_fault_of_the_upstream(place: Place) -> None:
    """Different resources in a row, nothing answered in between: the whole server hangs."""
    over = asyncio.Event()
    await silence(place, over)
    async with place.upstream(timeout=0.1) as upstream:
        assert await scopes(upstream, "a", "b", "c", "a") == [
            *[Scope.SUBJECT] * 2,
            *[Scope.UPSTREAM] * 2,
        ]
    over.set()


async def test_an_answer_in_between_lifts_the_suspicion(place: Place) -> None:
    """Who answers anything is there."""
    statuses = iter([500, 500, 200, 500, 500, 500, 500])

    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=next(statuses))

    place.handler = handler
    async with place.upstream() as upstream:
        assert await scopes(upstream, "a", "b") == [Scope.SUBJECT] * 2
        assert (await upstream.look(("c",))).status == 200
        assert await scopes(upstream, "d", "e", "f", "d") == [
            *[Scope.SUBJECT] * 2,
            *[Scope.UPSTREAM] * 2,
        ]


async def test_session_keys_are_written_nowhere(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable left over from debugging does not put what opens our traffic into a file."""
    file = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(file))
    async with place.upstream() as upstream:
        assert (await upstream.look(("x",))).status == 200
    assert not file.exists()


async def test_nobody_listening_is_a_fault_of_the_upstream(place: Place) -> None:
    """A refused connection is not reachable, at once."""
    upstream = place.upstream()
    assert place.server is not None
    port = place.server.port
    await place.server.close()
    async with upstream:
        with pytest.raises(Transient, match="CA-001") as caught:
            await upstream.look(("x",))
    assert (caught.value.scope, caught.value.upstream) == (Scope.UPSTREAM, "ca:corp")
    assert caught.value.detail == f"asking 127.0.0.1:{port} with GET: Connection refused"


async def fails_tls(place: Place, **changes: object) -> ConnectorError:
    async with place.upstream(**changes) as upstream:
        with pytest.raises(Transient, match="CA-007") as caught:
            await upstream.look(("x",))
    assert place.seen == []
    assert caught.value.scope is Scope.UPSTREAM
    return caught.value


async def test_a_server_of_another_authority_is_not_talked_to(place: Place, tmp_path: Path) -> None:
    """The certificate must chain to what is configured, or nothing is sent."""
    await fails_tls(place, ca_file=issue_tls(tmp_path).ca)


async def test_a_server_of_another_name_is_not_talked_to(place: Place, tmp_path: Path) -> None:
    """The host of the address must be in the certificate."""
    other = issue_tls(tmp_path, hosts=("elsewhere.example",))
    place.context.load_cert_chain(other.certificate, other.key)
    await fails_tls(place, ca_file=other.ca)


async def test_a_server_with_old_tls_only_is_not_talked_to(place: Place) -> None:
    """Below TLS 1.2 there is no talk, also where the system's policy would allow it."""
    assert tls_context(place.settings()).minimum_version is ssl.TLSVersion.TLSv1_2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        place.context.minimum_version = ssl.TLSVersion.TLSv1_1
        place.context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with place.upstream() as upstream:
        with pytest.raises(Transient, match=r"CA-00[17]"):
            await upstream.look(("x",))
    assert place.seen == []


def demand_client_certificate(place: Place) -> None:
    place.context.verify_mode = ssl.CERT_REQUIRED
    place.context.load_verify_locations(place.tls.ca)


def refuse_handshakes(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Blocking, as the event loop's own TLS server keeps the alert to itself."""
    connection, _ = listener.accept()
    with connection, suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True):
        raise AssertionError("a handshake without client certificate succeeded")


async def test_a_missing_client_certificate_is_a_tls_fault(place: Place) -> None:
    """A refusal in the handshake points to certificates, not to the network."""
    demand_client_certificate(place)
    place.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(refuse_handshakes, listener, place.context))
            await fails_tls(place, address=address)


async def test_the_client_certificate_is_shown(place: Place) -> None:
    """Mutual TLS works with the files of the settings."""
    demand_client_certificate(place)
    files = {
        "client_certificate_file": place.tls.client_certificate,
        "client_key_file": place.tls.client_key,
    }
    async with place.upstream(**files) as upstream:
        assert (await upstream.look(("x",))).status == 200


@pytest.mark.parametrize("member", ["ca_file", "client_certificate_file"])
async def test_an_unusable_tls_file_is_a_fault_of_the_settings(
    place: Place, tmp_path: Path, member: str
) -> None:
    """Missing and invalid alike, before anything is sent."""
    bad = tmp_path / "bad.pem"
    for _ in range(2):
        with pytest.raises(Permanent, match="CFG-003") as caught:
            await place.upstream(**{member: bad}).__aenter__()
        assert (caught.value.scope, caught.value.upstream) == (Scope.UPSTREAM, "ca:corp")
        bad.write_text("nonsense", encoding="utf-8")


async def test_the_environment_names_no_proxy(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the settings do."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with place.upstream() as upstream:
        assert (await upstream.look(("x",))).status == 200


async def test_the_proxy_of_the_settings_is_used(place: Place) -> None:
    """With no server behind it, the upstream is not reachable and saw nothing."""
    async with place.upstream(proxy="http://127.0.0.1:1") as upstream:
        with pytest.raises(Transient, match="CA-001"):
            await upstream.look(("x",))
    assert place.seen == []
