"""The shared client over real TLS: what it sends, what it takes, what it refuses."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from pydantic import ValidationError

from connector.core.errors import Permanent, Scope, Transient
from connector.core.upstream import UpstreamSettings
from connector.observe.logs import LogOptions
from tests.observe.lines import KEY, logging_to
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
    """No request concerns another user's resource."""
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


async def test_refused_credentials_are_a_fault_of_the_upstream_and_not_repeated(
    place: Place,
) -> None:
    """A second try with the same password would only lock the account."""
    place.handler = answering(web.Response(status=401))
    async with place.upstream() as upstream:
        with pytest.raises(Permanent, match="CA-401") as caught:
            await upstream.look(("x",))
    assert (caught.value.scope, caught.value.upstream) == (Scope.UPSTREAM, "ca:corp")
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


async def test_a_read_is_not_repeated_where_it_cannot_help(place: Place) -> None:
    """An error of its own comes again."""
    place.handler = answering(web.Response(status=500))
    async with place.upstream() as upstream:
        with pytest.raises(Transient, match="CA-002"):
            await upstream.look(("x",))
    assert len(place.seen) == 1


async def test_a_read_is_repeated_after_a_reset_but_an_act_is_not(place: Place) -> None:
    """Only who may ask twice does; the log names the class of the error and no address."""

    async def reset(request: web.Request) -> web.StreamResponse:
        if len(place.seen) % 3:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="{}")

    place.handler = reset
    with logging_to(LogOptions("info", KEY)) as lines:
        async with place.upstream() as upstream:
            assert (await upstream.look(("secret-name",))).json() == {}
            assert len(place.seen) == 3
            with pytest.raises(Transient, match="CA-001"):
                await upstream.request("POST", ("x",), body=b"{}")
    assert len(place.seen) == 4
    assert [line["event"] for line in lines.all()] == ["upstream_read_repeated"] * 2
    assert {line["error"] for line in lines.all()} == {"ServerDisconnectedError"}
    assert "secret-name" not in lines.stream.getvalue()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_an_act_over_a_kept_connection_that_breaks_is_sent_once(
    place: Place, method: str
) -> None:
    """Not even the library sends it again by itself."""
    async with place.upstream() as upstream:
        await upstream.look(("x",))

        async def reset(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        place.handler = reset
        with pytest.raises(Transient, match="CA-001"):
            await upstream.request(method, ("x",), body=b"{}")
    assert len(place.seen) == 2


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
