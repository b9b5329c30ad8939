"""What a CA's notifications mean."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.errors import Rejected
from connector.core.events import CertificatesChanged, Event
from connector.integrations.http_escrow.notices import normalise
from connector.sources.authentication import SignatureAuthentication, SignedHeaders
from tests.sources.world import CAS, NOW, signed

FINGERPRINT = "ab" * 32
SIGNATURES = SignatureAuthentication(CAS)


def of(body: bytes, name: str = "msg_1") -> Event | None:
    given = signed(body, name=name)
    headers = SignedHeaders(name, given["webhook-timestamp"], given["webhook-signature"])
    return normalise(SIGNATURES.verify("main", headers, body, NOW), NOW)


def payload(**changes: object) -> bytes:
    data = {"person": "m.muster", "fingerprint": FINGERPRINT}
    whole = {"type": "certificates.renewed", "timestamp": "2026-03-05T08:39:59.25Z", "data": data}
    return json.dumps(whole | changes).encode()


@pytest.mark.parametrize("what", ["issued", "renewed", "revoked"])
def test_change_concerns_the_person(what: str) -> None:
    """The event is the person's, and says what happened to which certificate."""
    event = of(payload(type=f"certificates.{what}"))
    assert event is not None
    assert (event.subject, event.source, event.tenant) == ("main/person/m.muster", "ca", "main")
    assert event.occurred_at == 1_772_699_999_250
    body = event.body
    assert isinstance(body, CertificatesChanged)
    assert (body.what, body.fingerprint) == (what, FINGERPRINT)


def test_id_follows_from_the_signed_id() -> None:
    """A repeat with another time has the same id; another message has another."""
    first, again, other = (
        of(payload()),
        of(payload(timestamp="2026-03-05T08:41:00Z")),
        of(payload(), "2"),
    )
    assert first
    assert again
    assert other
    assert first.id == again.id != other.id


def test_fingerprint_may_be_left_out() -> None:
    """A CA that tells no more than whose certificates changed is enough."""
    event = of(payload(data={"person": "m.muster", "more": 1}, more={}))
    assert event is not None
    assert isinstance(event.body, CertificatesChanged)
    assert event.body.fingerprint is None


@pytest.mark.parametrize("letter", ["m", "\N{LATIN SMALL LETTER U WITH DIAERESIS}", "\U0001f600"])
def test_a_name_may_have_256_characters_of_any_script(letter: str) -> None:
    """Characters are counted, not what they become in a key."""
    assert of(payload(data={"person": letter * 256})) is not None


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00Z"),
        ("2026-07-01t01:59:60.25+02:00", "2026-07-01T00:00:00.25Z"),
    ],
)
def test_a_leap_second_is_a_time(written: str, same: str) -> None:
    """RFC 3339 section 5.6 has the second 60, and the time is only written down."""
    first, second = of(payload(timestamp=written)), of(payload(timestamp=same))
    assert first is not None
    assert second is not None
    assert first.occurred_at == second.occurred_at


@pytest.mark.parametrize("kind", ["certificates.", "certificates.lost", "keys.issued", ""])
def test_other_types_mean_nothing(kind: str) -> None:
    """They are answered well and forgotten, with any other members."""
    assert of(payload(type=kind, data=None)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        payload(type=1),
        payload(data=None),
        payload(data={}),
        payload(data={"person": ""}),
        payload(data={"person": "p" * 257}),
        payload(data={"person": "\N{GRINNING FACE}" * 257}),
        payload(data={"person": "p", "fingerprint": "AB" * 32}),
        payload(timestamp="2026-03-05T08:40:00"),
        payload(timestamp="soon"),
        payload(timestamp="2026-03-05T08:40:61Z"),
        payload(timestamp="9999-12-31T23:59:60Z"),
        payload(timestamp="2026-03-05T08:40:60"),
    ],
    ids=lambda body: hashlib.sha256(body).hexdigest()[:8],
)
def test_malformed_payload_is_refused(body: bytes) -> None:
    """A signature does not make an invalid notice valid."""
    with pytest.raises(Rejected) as caught:
        of(body)
    assert caught.value.code == "EVT-001"


@given(st.text(max_size=300))
def test_any_signed_text_is_an_event_or_a_refusal(text: str) -> None:
    """Nothing but a refusal is raised, and every event can be journalled."""
    body = payload(data={"person": text})
    try:
        event = of(body)
    except Rejected:
        return
    assert event is not None
    assert Event.model_validate_json(event.model_dump_json()) == event
