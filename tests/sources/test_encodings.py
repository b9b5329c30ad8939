"""Each door reads each encoding that its media type allows, however the sender tells it."""

import base64
import codecs
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from connector.core.errors import Permanent
from connector.integrations.http_escrow.wire import WireRequest, parse
from tests.integrations.http_escrow.test_http_wire import REQUEST
from tests.sources.world import CA, NOW, SECRETS, UEM, World, basic

NAME = "Jürgen's phone"
UEM_JSON = json.dumps(
    {"EventId": 148, "DeviceId": 15, "DeviceFriendlyName": NAME}, ensure_ascii=False
)
UEM_XML = f"<Eventlog><EventId>148</EventId><DeviceId>15</DeviceId><N>{NAME}</N></Eventlog>"
DECLARED = '<?xml version="1.0" encoding="{}"?>'
CA_JSON = json.dumps(
    {
        "type": "certificates.renewed",
        "timestamp": "2026-03-05T08:40:00Z",
        "data": {"person": "jürgen"},
    },
    ensure_ascii=False,
)
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}
CHARSETS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16-be",
    "utf-16le": "utf-16-le",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
}


class Sent(NamedTuple):
    """What a sender puts on the wire."""

    header: str
    body: bytes


def sent(text: str, name: str) -> Iterator[Sent]:
    """``text`` as each media type ``name`` can carry it."""
    for encoding, mark in MARKS.items():
        for charset in ("", "; charset=utf-8", "; charset=iso-8859-1"):
            yield Sent(name + charset, mark + text.encode(encoding))
    for charset, encoding in CHARSETS.items():
        yield Sent(f'{name}; charset="{charset}"', text.encode(encoding))
    yield Sent(f"{name}; charset=us-ascii", text.replace("ü", "u").encode())
    yield Sent(name, text.encode())
    yield Sent(name, text.encode("utf-16-le"))


def xml_sent(name: str) -> Iterator[Sent]:
    """As before, with declarations that say the truth, or something that does not count."""
    yield from sent(UEM_XML, name)
    for declared in ("utf-16", "utf-8", "windows-1252", "no-such"):
        yield from sent(DECLARED.format(declared) + UEM_XML, name + "; charset=utf-8")
    for declared, encoding in CHARSETS.items():
        if encoding[:6] != "utf-16":
            yield Sent(name, (DECLARED.format(declared) + UEM_XML).encode(encoding))
    yield Sent(name, (DECLARED.format("utf-16") + UEM_XML).encode())


def signed_bytes(body: bytes) -> dict[str, str]:
    """Standard Webhooks over bytes, which need not be UTF-8."""
    key = base64.b64decode(SECRETS[0].removeprefix("whsec_"))
    name = "msg_" + hashlib.sha256(body).hexdigest()[:8]
    message = f"{name}.{NOW // 1000}.".encode() + body
    mac = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(NOW // 1000),
        "webhook-signature": f"v1,{mac}",
    }


async def answered(world: World, path: str, one: Sent) -> int:
    who = basic() if path == UEM else signed_bytes(one.body)
    headers = who | {"Content-Type": one.header}
    async with world.client.post(world.url(path), data=one.body, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("name", ["application/json", "text/json"])
async def test_a_uem_may_send_json_in_each_encoding(world: World, name: str) -> None:
    """A byte order mark, UTF-16 as .NET writes it, an old code page: the device is read."""
    for one in sent(UEM_JSON, name):
        assert (one, await answered(world, UEM, one)) == (one, 200)
    assert {event.subject for event in await world.stored()} == {"acme/device/15"}


@pytest.mark.parametrize("name", ["application/xml", "text/xml"])
async def test_a_uem_may_send_xml_in_each_encoding(world: World, name: str) -> None:
    """Mark, then parameter, then declaration: a text that claims UTF-16 and is UTF-8 is read."""
    for one in xml_sent(name):
        assert (one, await answered(world, UEM, one)) == (one, 200)
    assert {event.subject for event in await world.stored()} == {"acme/device/15"}


async def test_a_ca_may_send_json_in_each_encoding(world: World) -> None:
    """The signature is over the bytes, the person's name is the same in all of them."""
    for one in sent(CA_JSON, "application/json"):
        assert (one, await answered(world, CA, one)) == (one, 202)
    subjects = {event.subject for event in await world.stored()}
    assert subjects == {"main/person/j%C3%BCrgen", "main/person/jurgen"}


@pytest.mark.parametrize("charset", ["utf-7", "utf-32", "shift_jis", "no-such", "idna", "rot13"])
@pytest.mark.parametrize(
    ("path", "name", "text"),
    [
        (UEM, "application/json", UEM_JSON),
        (UEM, "application/xml", UEM_XML),
        (CA, "application/json", CA_JSON),
    ],
)
async def test_another_encoding_is_not_supported(
    world: World, path: str, name: str, text: str, charset: str
) -> None:
    """415, also where the declaration alone says so."""
    body = text.replace("ü", "u").encode()
    assert await answered(world, path, Sent(f"{name}; charset={charset}", body)) == 415
    if "xml" in name:
        declared = Sent(name, DECLARED.format(charset).encode() + body)
        assert await answered(world, path, declared) == 415
    assert await world.stored() == []


def test_an_escrow_may_answer_in_each_encoding() -> None:
    """The same rules for what we asked for; what cannot be read is the CA's fault."""
    text = json.dumps(REQUEST)
    for one in sent(text, "application/json"):
        charset = one.header.partition("charset=")[2].strip('"')
        assert parse(WireRequest, one.body, charset) == parse(WireRequest, text.encode())
    for body, charset in ((text.encode(), "utf-7"), (b'{"a": "\xff"}', "")):
        with pytest.raises(Permanent) as caught:
            parse(WireRequest, body, charset)
        assert caught.value.code == "CA-004"


@pytest.mark.parametrize(
    "members",
    [
        b'"DeviceFriendlyName": "phone \\ud83d"',
        b'"DeviceFriendlyName": "phone \xf0\x9f"',
        b'"EnrollmentUserId": 12.0',
        b'"EnrollmentUserId": {"x": 1}, "Platform": [1], "EventTime": true',
        b'"Platform": "' + b"x" * 600 + b'"',
        b'"EventTime": 1e400, "Platform": "\\udfff"',
        b'"EnrollmentUserId": 1' + b"0" * 400,
    ],
)
async def test_what_is_not_needed_costs_no_enrolment(world: World, members: bytes) -> None:
    """A name that was cut in the middle of a character, a number where a text was expected."""
    body = b'{"EventId": 148, "DeviceId": 15, ' + members + b"}"
    assert await answered(world, UEM, Sent("application/json", body)) == 200
    (event,) = await world.stored()
    assert event.subject == "acme/device/15"


async def test_xml_with_odd_hints_costs_no_enrolment(world: World) -> None:
    """The same for the other format; a name cut in its bytes is still well-formed."""
    body = UEM_XML.encode().replace(b"<N>", b"<Platform>" + b"x" * 600 + b"</Platform><N>\xf0\x9f")
    assert await answered(world, UEM, Sent("application/xml", body)) == 200
