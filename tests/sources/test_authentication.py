"""Who is authenticated, and that neither answer nor effort shows how near a guess was."""

import base64
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from connector.core.errors import Permanent, Rejected
from connector.core.secret import Credential
from connector.sources.authentication import (
    JSON,
    BasicAuthentication,
    KnownCaller,
    SignatureAuthentication,
    SignedHeaders,
    VerifiedNotification,
)
from connector.sources.tenants import BasicSender, SigningSender
from tests.sources.world import CAS, CONSOLES, NOW, basic, signed

BODY = b'{"type":"certificates.issued"}'
MINUTE = 60


class CountingCompare:
    """A constant-time comparison that remembers how often it was asked."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, left: bytes, right: bytes) -> bool:
        self.count += 1
        return hmac.compare_digest(left, right)


def header(user: str, password: str) -> str:
    return basic(user, password)["Authorization"]


def headers(given: dict[str, str], **changes: str) -> SignedHeaders:
    found = SignedHeaders(
        given["webhook-id"], given["webhook-timestamp"], given["webhook-signature"]
    )
    return found._replace(**changes)


@pytest.mark.parametrize(
    ("user", "password"), [("uem", "secret-password"), ("uem2", "next-password")]
)
def test_every_valid_credential_is_accepted(user: str, password: str) -> None:
    """Old and new credentials hold at once, so that they can be rotated."""
    caller = BasicAuthentication(CONSOLES).caller("acme", header(user, password))
    assert caller.tenant.name == "acme"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Bearer " + base64.b64encode(b"uem:secret-password").decode(),
        "Basic \udcff\udcfe",
        header("uem", "secret-passwor"),
        header("uem", "secret-password "),
        header("", ""),
        header("uem2", "secret-password"),
    ],
)
@pytest.mark.parametrize("tenant", ["acme", "nobody", ""])
def test_everything_else_is_refused_alike(tenant: str, authorization: str | None) -> None:
    """A wrong password, a mixed pair, another scheme, no header, an unknown tenant: AUTH-001."""
    with pytest.raises(Rejected) as caught:
        BasicAuthentication(CONSOLES).caller(tenant, authorization)
    assert (caught.value.code, caught.value.detail) == ("AUTH-001", "authenticating a webhook")


def test_credentials_of_another_tenant_are_refused() -> None:
    """A source acts only for its own tenant."""
    with pytest.raises(Rejected):
        BasicAuthentication(CONSOLES).caller("lonely", header("uem", "secret-password"))


def test_tenant_without_credentials_admits_nobody() -> None:
    """No credentials is not the same as any credentials."""
    authentication = BasicAuthentication([BasicSender("open", ())])
    for authorization in (None, "Basic ", header("", "")):
        with pytest.raises(Rejected):
            authentication.caller("open", authorization)


def test_scheme_is_case_insensitive_and_old_encoding_accepted() -> None:
    """RFC 7617: the scheme's case is free, and old senders encode as Latin-1."""
    authentication = BasicAuthentication([BasicSender("acme", (("uem", Credential("pässword")),))])
    latin = base64.b64encode("uem:pässword".encode("latin-1")).decode()
    for offered in (f"BASIC {latin}", header("uem", "pässword").replace("Basic", "basic")):
        assert authentication.caller("acme", offered).tenant.name == "acme"


@pytest.mark.parametrize(
    ("tenant", "authorization"),
    [
        ("acme", header("uem", "secret-password")),
        ("acme", header("uem2", "next-password")),
        ("acme", header("uem", "wrong")),
        ("lonely", header("uem", "another")),
        ("nobody", header("uem", "secret-password")),
        ("nobody", None),
    ],
)
def test_basic_always_compares_as_often(tenant: str, authorization: str | None) -> None:
    """No early exit: first, last or no match, known or unknown tenant cost the same comparisons."""
    compare = CountingCompare()
    try:
        BasicAuthentication(CONSOLES, compare).caller(tenant, authorization)
    except Rejected:
        assert tenant == "nobody" or authorization == header("uem", "wrong")
    assert compare.count == 2


@pytest.mark.parametrize(("tenant", "secret"), [("main", 0), ("main", 1), ("small", 0), ("no", 0)])
def test_signatures_always_compare_as_often(tenant: str, secret: int) -> None:
    """Every signature is compared with every secret, whichever fits, also for strangers."""
    compare = CountingCompare()
    small = SigningSender("small", CAS[0].secrets[:1])
    authentication = SignatureAuthentication([*CAS, small], compare)
    given = signed(BODY, secret=secret)
    three = "v1,AAAA " + given["webhook-signature"] + " v1a,AAAA"
    try:
        authentication.verify(tenant, headers(given, signatures=three), BODY, NOW)
    except Rejected:
        assert tenant == "no"
    assert compare.count == 6


@pytest.mark.parametrize("secret", [0, 1])
def test_signature_by_either_secret_is_accepted(secret: int) -> None:
    """Two secrets hold at once; the id that was signed comes with the notification."""
    given = signed(BODY, secret=secret)
    verified = SignatureAuthentication(CAS).verify("main", headers(given), BODY, NOW)
    assert (verified.tenant, verified.signed_id, verified.body) == ("main", "msg_1", BODY)


@pytest.mark.parametrize(
    ("seconds", "is_fresh"), [(-301, False), (-300, True), (300, True), (301, False)]
)
def test_timestamp_may_differ_by_five_minutes(seconds: int, is_fresh: bool) -> None:  # noqa: FBT001
    """A signature older or newer than the tolerance is refused, at the very second."""
    given = signed(BODY, at=NOW // 1000 + seconds)
    authentication = SignatureAuthentication(CAS)
    if is_fresh:
        assert authentication.verify("main", headers(given), BODY, NOW).body == BODY
        return
    with pytest.raises(Rejected) as caught:
        authentication.verify("main", headers(given), BODY, NOW)
    assert caught.value.code == "AUTH-002"


@pytest.mark.parametrize("name", ["msg.1", "", "msg 1", "msg\n1", "a" * 129, "ä", "msg/1"])
def test_odd_ids_are_refused(name: str) -> None:
    """An id with a dot would let id, time and body be divided differently; others have no use."""
    given = signed(BODY, name=name)
    with pytest.raises(Rejected):
        SignatureAuthentication(CAS).verify("main", headers(given), BODY, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"signatures": ""},
        {"signatures": "v1"},
        {"signatures": "v1,"},
        {"signatures": "v1,!!!"},
        {"signatures": "v1,\udcff"},
        {"timestamp": ""},
        {"timestamp": "1772700000.0"},
        {"timestamp": "nan"},
        {"timestamp": "-1"},
        {"timestamp": "999999999999"},
        {"timestamp": "\N{ARABIC-INDIC DIGIT ONE}772700000"},
        {"id": "msg_2"},
    ],
)
def test_altered_headers_are_refused(changes: dict[str, str]) -> None:
    """With anything missing or bent, the answer is the same code."""
    with pytest.raises(Rejected) as caught:
        SignatureAuthentication(CAS).verify("main", headers(signed(BODY), **changes), BODY, NOW)
    assert caught.value.code == "AUTH-002"


@pytest.mark.parametrize(
    "body", [BODY + b" ", b"", b"\xff\xfe", BODY.replace(b"issued", b"renewed")]
)
def test_altered_body_is_refused(body: bytes) -> None:
    """The signature covers every byte."""
    with pytest.raises(Rejected):
        SignatureAuthentication(CAS).verify("main", headers(signed(BODY)), body, NOW)


def test_key_that_stands_in_for_missing_secrets_opens_nothing() -> None:
    """The stand-in of unknown tenants, and of tenants without secrets, is no tenant's secret."""
    authentication = SignatureAuthentication([*CAS, SigningSender("open", ())])
    at = NOW // 1000
    forged = Webhook(bytes(32)).sign("msg_1", datetime.fromtimestamp(at, UTC), BODY.decode())
    for tenant in ("main", "open", "nobody"):
        with pytest.raises(Rejected):
            authentication.verify(tenant, SignedHeaders("msg_1", str(at), forged), BODY, NOW)


@pytest.mark.parametrize("secret", ["whsec_no-base64!", "!" * 40, "whsec_", "AAAA", "whsec_QQ=="])
def test_signing_secret_that_is_none_is_a_fault_of_the_settings(secret: str) -> None:
    """Not base64, or so short that it could be guessed: it authenticates no caller."""
    with pytest.raises(Permanent, match="CFG-003") as refused:
        SignatureAuthentication([SigningSender("main", (Credential(secret),))])
    assert secret not in str(refused.value)


@given(
    tenant=st.sampled_from(["main", "nobody", ""]),
    parts=st.tuples(st.text(), st.text(), st.text()),
    body=st.binary(max_size=200),
)
def test_nothing_but_a_refusal_comes_of_nonsense(
    tenant: str, parts: tuple[str, str, str], body: bytes
) -> None:
    """Arbitrary headers and bodies raise Rejected and nothing else."""
    with pytest.raises(Rejected):
        SignatureAuthentication(CAS).verify(tenant, SignedHeaders(*parts), body, NOW)


def test_nobody_else_makes_verified_notifications() -> None:
    """Unverified bytes cannot be passed on by mistake."""
    with pytest.raises(TypeError):
        VerifiedNotification(object(), "acme", b"{}", JSON)
    stranger = KnownCaller(object(), CONSOLES[0])
    with pytest.raises(TypeError):
        stranger.notification(b"{}", JSON)
