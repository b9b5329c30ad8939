"""Reading certificates: as the library does where it can, and beyond that without surprises."""

import contextlib
import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.certificates.issuance import judge
from connector.certificates.listing import generation
from connector.certificates.reading import Certificate, Unreadable, read
from connector.core.model import Usage
from connector_testkit.simulators.ca.authority import Authority, Leaf
from connector_testkit.simulators.ca.keys import MAKERS, PrivateKey
from connector_testkit.simulators.ca.options import KeyAlgorithm
from connector_testkit.simulators.ca.shapes import Shape

START = dt.datetime(2019, 3, 1, 7, 30, tzinfo=dt.UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
LEAF = Leaf("Mara", ("Mara@Example.com",), Usage.BOTH, START, START + dt.timedelta(days=700))
VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\x7f", min_codepoint=32),
    min_size=1,
    max_size=30,
).filter(lambda text: len(text.encode()) <= 64)
KINDS = st.sampled_from(
    [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME, NameOID.GIVEN_NAME]
)


def public_key(certificate: x509.Certificate) -> str:
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def same(mine: Certificate, theirs: x509.Certificate) -> None:
    assert mine.serial == theirs.serial_number
    assert (mine.subject, mine.issuer) == (
        theirs.subject.rfc4514_string(),
        theirs.issuer.rfc4514_string(),
    )
    assert mine.not_before == theirs.not_valid_before_utc
    assert mine.not_after == theirs.not_valid_after_utc
    assert mine.public_key == public_key(theirs)
    assert mine.signed == theirs.tbs_certificate_bytes
    assert mine.signature == theirs.signature


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_an_ordinary_certificate_is_read_as_the_library_reads_it(
    authority: Authority, algorithm: KeyAlgorithm
) -> None:
    """Every kind of key; addresses in canonical form."""
    der = authority.issue(LEAF, MAKERS[algorithm]())
    same(read(der), x509.load_der_x509_certificate(der))
    assert read(der).addresses == ("mara@example.com",)


@settings(max_examples=100)
@given(parts=st.lists(st.tuples(KINDS, VALUES), min_size=1, max_size=5))
def test_names_are_written_as_the_library_writes_them(
    parts: list[tuple[x509.ObjectIdentifier, str]],
) -> None:
    """RFC 4514, with everything in it that has to be escaped."""
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START)
        .sign(KEY, hashes.SHA256())
    )
    same(read(certificate.public_bytes(Encoding.DER)), certificate)


@pytest.mark.parametrize(
    ("shape", "addresses"),
    [
        (Shape.SUBJECT_ADDRESS, ("mara@example.com",)),
        (Shape.UTF8_MAILBOX, ("mara@example.com",)),
        (Shape.X400_NAME, ("mara@example.com",)),
        (Shape.EDI_NAME, ("mara@example.com",)),
        (Shape.LATIN1_ADDRESS, ("jörg@example.com", "mara@example.com")),
        (Shape.VERSION_1, ("mara@example.com",)),
    ],
)
def test_addresses_are_found_wherever_they_are(
    authority: Authority, keys: tuple[PrivateKey, ...], shape: Shape, addresses: tuple[str, ...]
) -> None:
    """RFC 8550 section 3, RFC 9598; names of other kinds beside them do no harm."""
    assert read(authority.issue(LEAF, keys[0], shape)).addresses == addresses


@pytest.mark.parametrize("shape", [Shape.NO_SECONDS, Shape.FRACTION])
def test_times_are_read_in_every_form(
    authority: Authority, keys: tuple[PrivateKey, ...], shape: Shape
) -> None:
    """Without seconds, or with fractions of them."""
    found = read(authority.issue(LEAF, keys[0], shape))
    assert (found.not_before, found.not_after) == (LEAF.not_before, LEAF.not_after)


@pytest.fixture(scope="module")
def issued(authority: Authority, keys: tuple[PrivateKey, ...]) -> list[bytes]:
    return [authority.issue(LEAF, keys[0], shape) for shape in (None, *Shape)]


@settings(max_examples=400)
@given(data=st.data())
def test_a_damaged_certificate_raises_nothing_else(
    authority: Authority, issued: list[bytes], data: st.DataObject
) -> None:
    """With any bytes changed or cut, in any shape: it is read, or unreadable."""
    changed = bytearray(data.draw(st.sampled_from(issued)))
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    odd = bytes(changed[: data.draw(st.integers(0, len(changed) * 4))])
    with contextlib.suppress(Unreadable):
        read(odd)
    with contextlib.suppress(Unreadable):
        judge(odd, [odd, *(one.public_bytes(Encoding.DER) for one in authority.chain)], None)
    assert generation(odd, hashlib.sha256(odd).hexdigest(), Usage.BOTH, {}).fingerprint


@given(st.binary(max_size=400))
def test_garbage_raises_nothing_else(garbage: bytes) -> None:
    """Bytes that are no certificate."""
    with contextlib.suppress(Unreadable):
        read(garbage)
