"""Chains: judged as of the day on which a certificate was made."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from connector.certificates.issuance import TrustedIssuers, Verdict, judge
from connector.certificates.reading import read
from connector.core.errors import Permanent

DAY = dt.timedelta(days=1)
DATA = Path(__file__).parent.parent / "data" / "certificates"
START = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)


class Made:
    """A certificate with its key, to issue others from."""

    def __init__(self, name: str, days: tuple[int, int], by: "Made | None" = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = by or self
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(START + days[0] * DAY)
            .not_valid_after(START + days[1] * DAY)
            .add_extension(x509.BasicConstraints(not name.startswith("leaf"), None), critical=True)
            .sign(issuer.key, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def root() -> Made:
    return Made("root", (0, 1000))


@pytest.fixture(scope="module")
def middle(root: Made) -> Made:
    return Made("middle", (0, 500), root)


def trusting(*issuers: Made) -> TrustedIssuers:
    return TrustedIssuers([read(one.der) for one in issuers])


def refused(trusted: TrustedIssuers, leaf: Made, *chain: Made) -> bool:
    objection = judge(leaf.der, [one.der for one in chain], trusted).objection
    return objection is not None and objection.code == "KEY-205"


def test_long_expired_chain_is_accepted(root: Made, middle: Made) -> None:
    """Leaf and issuers have all expired since; on the day of issuance they were valid."""
    leaf = Made("leaf", (100, 200), middle)
    trusted = trusting(root)
    assert not refused(trusted, leaf, middle)
    assert not refused(trusting(middle), leaf)


def test_issuer_that_had_expired_is_refused(root: Made, middle: Made) -> None:
    """What an issuer signed after its own end does not count."""
    assert refused(trusting(root), Made("leaf", (600, 700), middle), middle)


def test_stranger_is_refused(root: Made, middle: Made) -> None:
    """Without a path to a trusted issuer, or with a leaf posing as issuer, there is no trust."""
    trusted = trusting(root)
    assert refused(trusted, Made("leaf", (100, 200), middle))
    assert refused(trusted, Made("leaf", (100, 200), Made("root", (0, 1000))), middle)
    posing = Made("leaf", (0, 500), root)
    assert refused(trusted, Made("leaf of leaf", (100, 200), posing), posing)


def test_file_of_issuers(tmp_path: Path, root: Made, middle: Made) -> None:
    """The trusted issuers come from a PEM file; one that cannot be read has its own code."""
    path = tmp_path / "issuers.pem"
    path.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    leaf = Made("leaf", (100, 200), middle)
    assert not refused(TrustedIssuers.from_file(path), leaf, middle)
    path.write_text("no certificate")
    with pytest.raises(Permanent, match="CFG-003"):
        TrustedIssuers.from_file(path)


def objection_of(leaf: bytes, trusted: TrustedIssuers | None, *chain: bytes) -> str | None:
    objection = judge(leaf, chain, trusted).objection
    return objection.code if objection else None


@pytest.mark.parametrize("leaf", ["sha1-leaf.der", "v1-root-leaf.der"])
@pytest.mark.parametrize("issuers", ["issuers.pem", "issuers-with-odd-root.pem"])
def test_history_of_an_old_authority_is_accepted(leaf: str, issuers: str) -> None:
    """Signed with SHA-1, under a root of version 1, beside a root that a strict parser refuses."""
    trusted = TrustedIssuers.from_file(DATA / issuers)
    verdict = judge((DATA / leaf).read_bytes(), [], trusted)
    assert (verdict.objection, verdict.only_archived) == (None, "signed with SHA-1")


def test_an_anchor_is_a_name_and_a_key(root: Made, middle: Made) -> None:
    """Its own dates, and whether it calls itself an authority, are not asked (RFC 5280, 6.1.1)."""
    late = Made("leaf", (600, 700), middle)
    assert refused(trusting(root), late, middle)
    assert not refused(trusting(middle), late)
    plain = Made("leaf as anchor", (0, 500))
    assert not refused(trusting(plain), Made("leaf", (600, 700), plain))


def test_a_certificate_may_be_trusted_by_itself(root: Made, middle: Made) -> None:
    """The way out for one whose signature proves nothing any more."""
    leaf = Made("leaf", (100, 200), middle)
    assert refused(trusting(root), leaf)
    assert not refused(trusting(root, leaf), leaf)


def test_without_trusted_issuers_the_offered_chain_is_followed(root: Made, middle: Made) -> None:
    """A wrong signature is refused; an issuer that is missing or unreadable is only said."""
    leaf, stranger = Made("leaf", (100, 200), middle), Made("middle", (0, 500))
    assert judge(leaf.der, [middle.der, root.der], None) == Verdict()
    assert objection_of(leaf.der, None, stranger.der) == "KEY-205"
    assert objection_of(leaf.der, None, middle.der, Made("root", (0, 9)).der) == "KEY-205"
    for chain in ([], [b"garbage"], [root.der]):
        assert judge(leaf.der, chain, None) == Verdict(unchecked="its issuer is not in the list")


def test_an_issuer_of_the_same_name_and_another_key_is_no_contradiction(
    root: Made, middle: Made
) -> None:
    """A CA that changed its key and kept its name offers both; the right one is found."""
    renewed = Made("middle", (300, 500), root)
    leaf = Made("leaf", (100, 200), middle)
    assert judge(leaf.der, [renewed.der, middle.der, root.der], None) == Verdict()


def test_a_chain_that_leads_in_circles_ends(root: Made) -> None:
    """Certificates that issued one another are each looked at once."""
    circle = [Made("circle", (0, 900)) for _ in range(8)]
    leaf = Made("leaf", (100, 200), circle[0])
    assert refused(trusting(root), leaf, *circle)
    assert judge(leaf.der, [one.der for one in circle], None).objection is None


def test_a_file_of_issuers_is_read_again_when_it_changed(tmp_path: Path, root: Made) -> None:
    """And the fault says which certificate in it cannot be read."""
    path = tmp_path / "issuers.pem"
    pem = root.certificate.public_bytes(Encoding.PEM)
    path.write_bytes(b"\xef\xbb\xbf" + pem)
    assert len(list(TrustedIssuers.from_file(path).issuers_of(read(root.der)))) == 1
    path.write_bytes(pem + pem.replace(b"MII", b"MIA", 1))
    with pytest.raises(Permanent, match="certificate 2 of 2 cannot be read"):
        TrustedIssuers.from_file(path)
