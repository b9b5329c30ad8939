"""The general promise: the key of a certificate of any form is delivered, or it is named.

Every shape that the simulated CA can issue, at every place where a certificate is met: as the
current generation, as an archived one, as an issuer in the chain, and inside a bundle.
"""

import base64
import hashlib
import json
import secrets
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connector.certificates.listing import Standard, judged
from connector.core.errors import Permanent
from connector.core.key_material import KeyMaterial
from connector.core.model import Slot, Usage
from connector.core.ports import EscrowListing, TargetCapabilities
from connector.core.selection import Selection, SelectionRules, SigningPolicy, select
from connector.integrations.http_escrow.wire import WireListing, listing, parse
from connector.keys.pkcs12.read import Expected, open_bundle
from connector.keys.pkcs12.write import Profile, new_password, package
from connector_testkit.simulators.ca.authority import Authority, Leaf
from connector_testkit.simulators.ca.keys import PrivateKey
from connector_testkit.simulators.ca.shapes import Draft, Shape, name, shaped
from tests.keys.pkcs12.forged_pkcs12 import Forged, pkcs8
from tests.patience import PATIENCE

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MAIL = "mara@example.com"
DEFECTS = {
    Shape.GARBAGE: "KEY-109",
    Shape.UNREADABLE_DATES: "KEY-109",
    Shape.UNREADABLE_NAMES: "KEY-109",
    Shape.UNREADABLE_USAGE: "KEY-109",
    Shape.OAEP_KEY: "KEY-203",
    Shape.WRONG_SIGNATURE: "KEY-205",
}
"""What cannot be sent, with or without trusted issuers; everything else is delivered."""
WITH_TRUSTED_ISSUERS = {**DEFECTS, Shape.MD5: "KEY-111"}
ONLY_ARCHIVED = {Shape.DATA_ENCIPHERMENT}
ONLY_ARCHIVED_WITH_TRUSTED_ISSUERS = {*ONLY_ARCHIVED, Shape.SHA1}
SHAPES = list(Shape)


class Escrow:
    """A person's certificates as the CA lists them, ordinary ones around one of a shape."""

    def __init__(self, authority: Authority, keys: tuple[PrivateKey, ...], folder: Path) -> None:
        self.authority = authority
        self.keys = keys
        self.issuers = folder / "issuers.pem"
        self.issuers.write_bytes(authority.pem())
        self.chain = [one.public_bytes(Encoding.DER) for one in authority.chain]

    def leaf(self, days_ago: float, shape: Shape | None = None, key: int = 0) -> bytes:
        start = NOW - timedelta(days=days_ago)
        leaf = Leaf("Mara", (MAIL,), Usage.ENCRYPTION, start, start + timedelta(days=730))
        return self.authority.issue(leaf, self.keys[key], shape)

    def listed(self, *certificates: bytes, chain: list[bytes] | None = None) -> EscrowListing:
        return listing(parse(WireListing, self._answer(certificates, chain or self.chain)), "mara")

    def _answer(self, certificates: tuple[bytes, ...], chain: list[bytes]) -> bytes:
        generations = [
            {
                "fingerprint": hashlib.sha256(one).hexdigest(),
                "certificate": base64.b64encode(one).decode(),
                "chain": [base64.b64encode(issuer).decode() for issuer in chain],
                "usage": "encryption",
                "status": "active",
                "recoverable": True,
                "single_use": False,
            }
            for one in certificates
        ]
        person = {"person": "mara", "name": "Mara", "addresses": [MAIL]}
        return json.dumps({"person": person, "generations": generations}).encode()


@pytest.fixture(scope="module")
def escrow(
    authority: Authority, keys: tuple[PrivateKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> Escrow:
    return Escrow(authority, keys, tmp_path_factory.mktemp("escrow"))


def chosen(seen: EscrowListing, issuers: Path | None, *dropped: bytes) -> Selection:
    """The set that planning, a dry run and the hand-over make of a listing alike."""
    told = judged(seen, standard(issuers))
    return select(
        [one.generation for one in told.certificates],
        person=told.person,
        address=MAIL,
        rules=SelectionRules(
            signing=SigningPolicy.NEVER,
            dropped=frozenset(hashlib.sha256(one).hexdigest() for one in dropped),
        ),
        now=int(NOW.timestamp() * 1000),
    )


def standard(issuers: Path | None, **takes: Any) -> Standard:
    now = int(NOW.timestamp() * 1000)
    return Standard(None if issuers is None else str(issuers), TargetCapabilities(**takes), now)


def slots(selection: Selection) -> dict[str, Slot]:
    return {entry.fingerprint: entry.slot for entry in selection.entries}


@pytest.mark.parametrize("days_ago", [30.0, 2000.0], ids=["current", "archived"])
@pytest.mark.parametrize("strict", [False, True], ids=["any issuer", "trusted issuers"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_generation_is_delivered_or_named(
    escrow: Escrow, shape: Shape, *, strict: bool, days_ago: float
) -> None:
    """Before any key leaves escrow; what is named can be dropped, and then the rest goes out."""
    odd, ordinary = escrow.leaf(days_ago, shape), escrow.leaf(400, key=1)
    seen, issuers = escrow.listed(odd, ordinary), escrow.issuers if strict else None
    name = hashlib.sha256(odd).hexdigest()
    code = (WITH_TRUSTED_ISSUERS if strict else DEFECTS).get(shape)
    if code is None:
        current = days_ago < 400 and shape not in (
            ONLY_ARCHIVED_WITH_TRUSTED_ISSUERS if strict else ONLY_ARCHIVED
        )
        assert slots(chosen(seen, issuers))[name] is (Slot.ENCRYPTION if current else Slot.ARCHIVED)
        return
    with pytest.raises(Permanent) as caught:
        chosen(seen, issuers)
    assert caught.value.code == code
    assert name[:16] in caught.value.detail
    (kept,) = chosen(seen, issuers, odd).entries
    assert kept.fingerprint == hashlib.sha256(ordinary).hexdigest()


@pytest.mark.parametrize("shape", SHAPES)
def test_an_issuer_in_the_chain_never_stops_a_delivery(escrow: Escrow, shape: Shape) -> None:
    """One of any shape is passed over when unreadable, and trusted when it is an anchor."""
    signer, other = escrow.keys
    assert isinstance(signer, rsa.RSAPrivateKey)
    issuer = _issuer(escrow, other, shape)
    leaf = escrow.leaf(30)
    assert chosen(escrow.listed(leaf, chain=[issuer, *escrow.chain]), None).entries
    assert chosen(escrow.listed(leaf, chain=[issuer, *escrow.chain]), escrow.issuers).entries


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {Shape.MD5, *DEFECTS}))
def test_a_trusted_issuer_may_have_any_readable_shape(
    escrow: Escrow, shape: Shape, tmp_path: Path
) -> None:
    """An anchor is a name and a key; the rest of its certificate does not matter."""
    (made,) = _issued_by(shape, escrow)
    anchors = tmp_path / "issuers.pem"
    anchors.write_bytes(_pem(made.issuer))
    told = judged(escrow.listed(made.leaf, chain=[made.issuer]), standard(anchors))
    assert told.certificates[0].generation.objection is None


@pytest.mark.parametrize("shape", SHAPES)
def test_an_enclosed_certificate_never_stops_a_delivery(escrow: Escrow, shape: Shape) -> None:
    """A bundle encloses the key's certificate and an issuer of any shape."""
    leaf, enclosed = escrow.leaf(30), escrow.leaf(2000, shape, key=1)
    assert _opened(escrow, leaf, [leaf, enclosed]) == leaf


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("shape", sorted(set(SHAPES) - set(DEFECTS)))
def test_what_is_delivered_can_be_opened(escrow: Escrow, shape: Shape, profile: Profile) -> None:
    """The bundle that goes out holds the listed certificate, byte by byte, and openssl reads it."""
    leaf = escrow.leaf(2000, shape)
    key, expected = escrow.keys[0], _expected(escrow.keys[0], leaf)
    identity = open_bundle(
        KeyMaterial(Forged([pkcs8(key)], [leaf]).dump()),  # type: ignore[arg-type] # RSA
        KeyMaterial(b"open sesame"),
        expected,
    )
    packaged = package(identity, profile, new_password(secrets.token_bytes), secrets.token_bytes)
    again = open_bundle(packaged.pkcs12, packaged.password, expected)
    assert again.certificate == leaf
    assert not again.reissued
    command = ["openssl", "pkcs12", "-passin", "env:PASSWORD", "-nodes", "-nocerts"]
    done = subprocess.run(
        [shutil.which("openssl") or "openssl", *command[1:]],
        input=bytes(packaged.pkcs12.reveal()),
        env={"PASSWORD": packaged.password.reveal().decode()},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"BEGIN PRIVATE KEY" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("takes", "objections"),
    [
        ({}, [None, None]),
        ({"expired": False}, [None, "KEY-112"]),
        ({"key_types": frozenset({"ec"})}, ["KEY-112", "KEY-112"]),
    ],
)
def test_what_the_target_does_not_take_is_named_before_the_fetch(
    escrow: Escrow, takes: dict[str, Any], objections: list[str | None]
) -> None:
    """By what it declares of itself: kinds of keys, and whether expired ones are any use."""
    seen = escrow.listed(escrow.leaf(30), escrow.leaf(2000, key=1))
    told = judged(seen, standard(None, **takes))
    found = [one.generation.objection for one in told.certificates]
    assert [one.code if one else None for one in found] == objections


class _Made:
    def __init__(self, issuer: bytes, leaf: bytes) -> None:
        self.issuer = issuer
        self.leaf = leaf


def _issuer(escrow: Escrow, key: PrivateKey, shape: Shape | None) -> bytes:
    """A CA certificate of the name that the leaf's issuer has, and of another key."""
    return shaped(_draft(key, escrow.authority.issuing.subject.public_bytes()), shape, _no_one)


def _draft(key: PrivateKey, issuer: bytes) -> Draft:
    return Draft(
        key=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        issuer=issuer,
        common_name="Old CA",
        addresses=(),
        usage="both",
        not_before=NOW - timedelta(days=4000),
        not_after=NOW - timedelta(days=100),
        is_authority=True,
    )


def _no_one(_content: bytes, _digest: str) -> bytes:
    return b"\x30\x06\x02\x01\x01\x02\x01\x01"


def _issued_by(shape: Shape, escrow: Escrow) -> list[_Made]:
    """A root of a shape with an EC key, and a leaf that it issued after its own end."""
    authority = escrow.authority
    spki = authority.issuing.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    root = replace(_draft(escrow.keys[0], b""), key=spki, issuer=name(("550403", 0x0C, b"Old CA")))
    issuer = shaped(root, shape, authority._sign)
    subject = shaped(
        replace(
            _draft(escrow.keys[0], _subject_of(issuer)),
            common_name="Mara",
            addresses=(MAIL,),
            usage="encryption",
            is_authority=False,
            not_before=NOW - timedelta(days=30),
        ),
        None,
        authority._sign,
    )
    return [_Made(issuer, subject)]


def _subject_of(certificate: bytes) -> bytes:
    """The subject's bytes, to be a leaf's issuer."""
    from connector.certificates.der import elements  # noqa: PLC0415 - only here

    fields = elements(certificate)[0].inside()[0].inside()
    names = [one for one in fields if one.tag == 16]
    return names[3].whole


def _pem(certificate: bytes) -> bytes:
    body = base64.encodebytes(certificate)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def _expected(key: PrivateKey, leaf: bytes) -> Expected:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Expected(
        fingerprint=hashlib.sha256(leaf).hexdigest(),
        public_key=hashlib.sha256(spki).hexdigest(),
        certificate=leaf,
    )


def _opened(escrow: Escrow, leaf: bytes, enclosed: list[bytes]) -> bytes:
    key = escrow.keys[0]
    forged = Forged([pkcs8(key)], enclosed)  # type: ignore[arg-type] # RSA
    identity = open_bundle(
        KeyMaterial(forged.dump()), KeyMaterial(b"open sesame"), _expected(key, leaf)
    )
    return identity.certificate
