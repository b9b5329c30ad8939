"""Documents that break the contract: refused with a place, and without what was there."""

import base64
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from connector.core.errors import Permanent
from connector.integrations.http_escrow.wire import WireListing, WireRequest, WireRequests, parse

FINGERPRINT = "5e" * 32
PERSON = {"person": "mara.lind", "name": "Mara", "addresses": ["mara@example.com"]}
REQUEST = {
    "request_id": "0b54cf6e-6f4e-5a53-9d0a-0d8f1c3b2a11",
    "person": "mara.lind",
    "fingerprint": FINGERPRINT,
    "state": "granted",
}
GENERATION = {
    "fingerprint": FINGERPRINT,
    "certificate": base64.b64encode(b"DER").decode(),
    "chain": [],
    "usage": "both",
    "status": "active",
    "recoverable": True,
    "single_use": False,
}


def listing(**changes: Any) -> dict[str, Any]:
    return {"person": PERSON, "generations": [{**GENERATION, **changes}]}


@pytest.mark.parametrize(
    ("model", "document", "place"),
    [
        (WireListing, listing(fingerprint="MARKER"), "generations.0.fingerprint"),
        (WireListing, listing(certificate="MARKER"), "generations.0.certificate"),
        (WireListing, listing(certificate="A" * 40_000), "generations.0.certificate"),
        (WireListing, listing(certificate=17), "generations.0.certificate"),
        (WireListing, listing(chain=["QQ=="] * 11), "generations.0.chain"),
        (WireListing, listing(usage="MARKER"), "generations.0.usage"),
        (WireListing, listing(status="MARKER"), "generations.0.status"),
        (WireListing, listing(revoked_at="2026-01-01T00:00:00"), "generations.0.revoked_at"),
        (WireListing, {"person": PERSON, "generations": [GENERATION] * 501}, "generations"),
        (WireListing, {"person": {**PERSON, "addresses": "MARKER"}}, "person.addresses"),
        (WireListing, ["MARKER"], ""),
        (WireRequest, {**REQUEST, "state": "MARKER"}, "state"),
        (WireRequest, {**REQUEST, "state": "gone"}, "state"),
        (WireRequest, {**REQUEST, "request_id": "../MARKER"}, "request_id"),
        (WireRequests, {"person": "x", "requests": [REQUEST] * 1001}, "requests"),
    ],
)
def test_a_broken_document_is_refused_without_an_echo(
    model: type[BaseModel], document: Any, place: str
) -> None:
    """The fault says where it is wrong and of what kind, never what was there."""
    with pytest.raises(Permanent) as caught:
        parse(model, orjson.dumps(document))
    assert caught.value.code == "CA-004"
    assert caught.value.detail.startswith(f"reading the answer at {place}:")
    assert "MARKER" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_members_of_a_later_contract_are_ignored() -> None:
    """An unknown member changes nothing."""
    wire = parse(WireRequest, orjson.dumps({**REQUEST, "queue": 7}))
    assert wire.state == "granted"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"null", b"\xff\xfe"])
def test_no_json_is_refused(body: bytes) -> None:
    """Anything but a JSON object breaks the contract."""
    with pytest.raises(Permanent, match="CA-004"):
        parse(WireRequest, body)


@pytest.mark.parametrize("issuer", ["MARKER", 17, "A" * 40_000, ""])
def test_an_issuer_that_cannot_be_decoded_concerns_only_the_chain(issuer: object) -> None:
    """It is as good as missing; the person's keys do not wait for it."""
    wire = parse(WireListing, orjson.dumps(listing(chain=[issuer])))
    assert wire.generations[0].chain == (b"",)
