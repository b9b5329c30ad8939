"""Chains: judged as of the day on which a certificate was made."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from connector.core.errors import Permanent
from connector.pkcs12.issuance import TrustedIssuers

DAY = dt.timedelta(days=1)
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


def refused(trusted: TrustedIssuers, leaf: Made, *chain: Made) -> bool:
    try:
        trusted.check(leaf.der, [one.der for one in chain])
    except Permanent as error:
        return error.code == "KEY-205"
    return False


def test_long_expired_chain_is_accepted(root: Made, middle: Made) -> None:
    """Leaf and issuers have all expired by now; on the day of issuance they were valid."""
    leaf = Made("leaf", (100, 200), middle)
    trusted = TrustedIssuers([root.certificate])
    assert not refused(trusted, leaf, middle)
    assert not refused(TrustedIssuers([middle.certificate]), leaf)


def test_issuer_that_had_expired_is_refused(root: Made, middle: Made) -> None:
    """What an issuer signed after its own end does not count."""
    assert refused(TrustedIssuers([root.certificate]), Made("leaf", (600, 700), middle), middle)


def test_stranger_is_refused(root: Made, middle: Made) -> None:
    """Without a path to a trusted issuer, or with a leaf posing as issuer, there is no trust."""
    trusted = TrustedIssuers([root.certificate])
    assert refused(trusted, Made("leaf", (100, 200), middle))
    assert refused(trusted, Made("leaf", (100, 200), Made("root", (0, 1000))), middle)
    posing = Made("leaf", (0, 500), root)
    assert refused(trusted, Made("leaf of leaf", (100, 200), posing), posing)


def test_garbage_is_refused(root: Made) -> None:
    """Bytes that are no certificate lead to the same refusal."""
    with pytest.raises(Permanent, match="KEY-205"):
        TrustedIssuers([root.certificate]).check(b"garbage", [])


def test_file_of_issuers(tmp_path: Path, root: Made, middle: Made) -> None:
    """The trusted issuers come from a PEM file; one that cannot be read has its own code."""
    path = tmp_path / "issuers.pem"
    path.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    leaf = Made("leaf", (100, 200), middle)
    assert not refused(TrustedIssuers.from_file(path), leaf, middle)
    path.write_text("no certificate")
    with pytest.raises(Permanent, match="CFG-003"):
        TrustedIssuers.from_file(path)
