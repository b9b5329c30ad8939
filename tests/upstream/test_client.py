"""The shared client over real TLS: what it sends, what it takes, what it refuses."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from connector.core.errors import ConnectorError, Permanent, Scope, Transient
from connector.core.upstream import UpstreamSettings
from connector.simulators.tls import issue_tls
from connector.upstream.session import tls_context
from tests.upstream.conftest import Place

HTML = "<html><body>maintenance</body></html>"


def answering(*answers: web.Response) -> Callable[[web.Request], Awaitable[web.Response]]:
    left = list(answers)

    async def handler(_request: web.Request) -> web.Response:
        return left.pop(0)

    return handler


async def test_identifiers_are_encoded_so_that_none_reaches_another_path(place: Place) -> None:
    """A slash, a query or a percent sign in an identifier stays inside its segment."""
    async with place.upstream() as upstream:
        await upstream.look(("persons", "a/../b?c=d%2F#e ü"), query={"q": "x&y=z ü"})
    assert place.seen[0].raw_path == (
        "/base/persons/a%2F..%2Fb%3Fc%3Dd%252F%23e%20%C3%BC?q=x%26y%3Dz%20%C3%BC"
    )


@pytest.mark.parametrize("identifier", ["", ".", "..", "\ud800"])
async def test_an_identifier_that_no_path_can_hold_is_refused_unsent(
    place: Place, identifier: str
) -> None:
    """Nothing is asked about somebody else's resource."""
    async with place.upstream() as upstream:
        with pytest.raises(Permanent, match="CA-404"):
            await upstream.look(("persons", identifier))
    assert place.seen == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", ""])
async def test_json_is_read_whatever_media_type_it_claims(place: Place, kind: str) -> None:
    """Servers are careless with the media type; the body decides."""
    headers = {"Content-Type": kind} if kind else {}
    place.handler = answering(web.Response(body=b'\xef\xbb\xbf{"a": 1}', headers=headers))
    async with place.upstream() as upstream:
        answer = await upstream.look(("x",))
    assert answer.json() == {"a": 1}


async def test_html_with_200_is_no_answer(place: Place) -> None:
    """A page from a proxy ends as "answers something else" of this one request."""
    place.handler = answering(web.Response(text=HTML, content_type="text/html"))
    async with place.upstream() as upstream:
        answer = await upstream.look(("x",))
    with pytest.raises(Permanent, match="CA-004") as caught:
        answer.json()
    assert caught.value.scope is Scope.SUBJECT
    assert "maintenance" not in str(caught.value)


async def test_a_redirect_is_not_followed(place: Place) -> None:
    """The address is what was configured, and nothing else."""
    place.handler = answering(web.Response(status=302, headers={"Location": "/elsewhere"}))
    async with place.upstream() as upstream:
        with pytest.raises(Permanent, match="CA-006"):
            await upstream.look(("x",))
    assert len(place.seen) == 1


async def test_cookies_are_not_kept(place: Place) -> None:
    """No answer can mark our next request."""
    place.handler = answering(web.Response(headers={"Set-Cookie": "a=b; Path=/"}), web.Response())
    async with place.upstream() as upstream:
        await upstream.look(("x",))
        await upstream.look(("x",))
    assert "Cookie" not in place.seen[1].headers


@pytest.mark.parametrize("announced", [2048, None])
async def test_a_body_above_the_limit_is_not_read_to_its_end(
    place: Place, announced: int | None
) -> None:
    """Too much is refused, whether its length was announced or not."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = announced
        await response.prepare(request)
        await response.write(b"a" * 2048)
        return response

    place.handler = handler
    async with place.upstream(response_limit=1024) as upstream:
        with pytest.raises(Permanent, match="CA-005"):
            await upstream.look(("x",))


async def test_a_compressed_answer_is_refused_not_unpacked(place: Place) -> None:
    """Nothing was asked for that could grow beyond the limit."""
    place.handler = answering(web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))
    async with place.upstream() as upstream:
        with pytest.raises(Permanent, match="CA-004"):
            await upstream.look(("x",))
    assert place.seen[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_a_fault_of_the_upstream_and_not_repeated(
    place: Place, status: int
) -> None:
    """A second try with the same password would only lock the account."""
    place.handler = answering(web.Response(status=status))
    async with place.upstream() as upstream:
        with pytest.raises(Permanent, match="CA-401") as caught:
            await upstream.look(("x",))
    assert (caught.value.scope, caught.value.upstream) == (Scope.UPSTREAM, "ca:corp")
    assert len(place.seen) == 1


async def test_throttling_is_obeyed_not_repeated(place: Place) -> None:
    """429 ends at once and says how long to wait."""
    place.handler = answering(web.Response(status=429, headers={"Retry-After": "7"}))
    async with place.upstream() as upstream:
        with pytest.raises(Transient, match="CA-003") as caught:
            await upstream.look(("x",))
    assert caught.value.retry_after == 7
    assert len(place.seen) == 1


async def test_a_judged_status_comes_back_as_an_answer(place: Place) -> None:
    """The adapter decides what 404 means where it expects one."""
    place.handler = answering(web.Response(status=404))
    async with place.upstream() as upstream:
        assert (await upstream.look(("x",), judged={404})).status == 404


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_read_is_repeated_when_a_gateway_stumbles(place: Place, status: int) -> None:
    """Two more tries, then the answer counts."""
    place.handler = answering(web.Response(status=status), web.Response(text="{}"))
    async with place.upstream() as upstream:
        assert (await upstream.look(("x",))).json() == {}
    assert len(place.seen) == 2


async def test_a_read_is_tried_three_times_at_most(place: Place) -> None:
    """What lasts longer is the state's to repeat."""
    place.handler = answering(*(web.Response(status=503) for _ in range(4)))
    async with place.upstream() as upstream:
        with pytest.raises(Transient, match="CA-002"):
            await upstream.look(("x",))
    assert len(place.seen) == 3


@pytest.mark.parametrize(
    "answer",
    [web.Response(status=500), web.Response(status=503, headers={"Retry-After": "9"})],
    ids=["500", "503 with a time"],
)
async def test_a_read_is_not_repeated_where_it_cannot_help(
    place: Place, answer: web.Response
) -> None:
    """An error of its own, or one that says when to come back."""
    place.handler = answering(answer)
    async with place.upstream() as upstream:
        with pytest.raises(Transient, match="CA-002"):
            await upstream.look(("x",))
    assert len(place.seen) == 1


async def test_a_read_is_repeated_after_a_reset_but_an_act_is_not(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only who may ask twice does; the log names the class of the error and no address."""

    async def reset(request: web.Request) -> web.StreamResponse:
        if len(place.seen) % 3:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="{}")

    place.handler = reset
    async with place.upstream() as upstream:
        assert (await upstream.look(("secret-name",))).json() == {}
        assert len(place.seen) == 3
        with pytest.raises(Transient, match="CA-001"):
            await upstream.request("POST", ("x",), body=b"{}")
    assert len(place.seen) == 4
    logged = capsys.readouterr().out
    assert "upstream_read_repeated" in logged
    assert "secret-name" not in logged


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


async def test_no_answer_in_time_is_a_fault_of_the_upstream(place: Place) -> None:
    """Who says nothing at all is not reachable."""
    over = asyncio.Event()

    async def silence(_request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    place.handler = silence
    async with place.upstream(timeout=0.2) as upstream:
        with pytest.raises(Transient, match="CA-001") as caught:
            await upstream.look(("x",))
    over.set()
    assert caught.value.scope is Scope.UPSTREAM
    assert len(place.seen) == 1


async def test_nobody_listening_is_a_fault_of_the_upstream(place: Place) -> None:
    """A refused connection is not reachable, at once."""
    upstream = place.upstream()
    assert place.server is not None
    await place.server.close()
    async with upstream:
        with pytest.raises(Transient, match="CA-001") as caught:
            await upstream.look(("x",))
    assert (caught.value.scope, caught.value.upstream) == (Scope.UPSTREAM, "ca:corp")


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
    """Who is refused in the handshake is told to look at certificates, not at the network."""
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
    """Missing and nonsense alike, before anything is sent."""
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
    """With nobody behind it, the upstream is not reachable and saw nothing."""
    async with place.upstream(proxy="http://127.0.0.1:1") as upstream:
        with pytest.raises(Transient, match="CA-001"):
            await upstream.look(("x",))
    assert place.seen == []


async def test_a_response_can_be_judged_by_its_head(place: Place) -> None:
    """An exchange raises for no status and reads no body by itself."""
    place.handler = answering(web.Response(status=418, text="tea"))
    async with place.upstream() as upstream, upstream.exchange("POST", ("x",)) as response:
        assert response.status == 418
        assert (await upstream.read(response)).body == b"tea"


async def test_pieces_are_sent_with_the_announced_length(place: Place) -> None:
    """A streamed body needs no chunked coding, which old servers refuse."""

    async def pieces() -> AsyncIterator[memoryview]:
        yield memoryview(bytearray(b"one"))
        yield memoryview(bytearray(b"two"))

    async with place.upstream() as upstream:
        headers = {"Content-Length": "6"}
        await upstream.request("POST", ("x",), headers=headers, body=pieces())
    assert place.bodies == [b"onetwo"]
    assert "Transfer-Encoding" not in place.seen[0].headers


async def test_closing_twice_is_harmless(place: Place) -> None:
    """And what is closed is not used."""
    upstream = place.upstream()
    async with upstream:
        assert repr(upstream) == "<Upstream ca:corp>"
    await upstream.__aexit__()
    with pytest.raises(RuntimeError):
        await upstream.look(("x",))


def test_clear_text_is_for_loopback_only() -> None:
    """There is no way to ask for an unprotected or unverified upstream."""
    with pytest.raises(ValidationError):
        UpstreamSettings(address="http://ca.example.com")
