"""Sets of S/MIME pairs made at run time, as a hand-over gives them to a target."""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from connector.core.model import Generation, Slot, Usage
from connector_testkit.conformance.target_world import Pair

PASSWORD = 'conformance "pass\\word" 0123456789'  # noqa: S105 - made to be searched for
"""Has the characters that a careless encoder trips over."""
ROUNDS = 2048
ISSUED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LIFE = dt.timedelta(days=400)


@dataclass(frozen=True)
class Sample:
    """One pair in a slot: its PKCS#12 under ``PASSWORD``, and the generation that it is."""

    slot: Slot
    pkcs12: bytes
    generation: Generation

    def as_json(self) -> dict[str, str]:
        """For the pipe to the delivering process."""
        return {
            "slot": self.slot.value,
            "fingerprint": self.generation.fingerprint,
            "pkcs12": base64.b64encode(self.pkcs12).decode(),
            "password": PASSWORD,
        }


def sample(slot: Slot, number: int = 0) -> Sample:
    """A new pair of a made-up person; ``number`` tells its validity from others'."""
    key = ec.generate_private_key(ec.SECP256R1())
    begin = ISSUED + dt.timedelta(days=number)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("Maria Muster"))
        .issuer_name(_name("Example Mail CA"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + LIFE)
        .sign(key, hashes.SHA256())
    )
    return Sample(slot, _packed(key, certificate), _generation(slot, certificate))


def pairs(samples: Iterable[Sample]) -> frozenset[Pair]:
    """What the product must have taken."""
    return frozenset((each.slot.value, each.generation.fingerprint) for each in samples)


def _packed(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    protection = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(PASSWORD.encode())
    )
    return pkcs12.serialize_key_and_certificates(b"smime", key, certificate, None, protection)


def _generation(slot: Slot, certificate: x509.Certificate) -> Generation:
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Generation(
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        public_key=hashlib.sha256(public).hexdigest(),
        usage=Usage.SIGNING if slot is Slot.SIGNING else Usage.ENCRYPTION,
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        subject=certificate.subject.rfc4514_string(),
        not_before=int(certificate.not_valid_before_utc.timestamp() * 1000),
        not_after=int(certificate.not_valid_after_utc.timestamp() * 1000),
        key_type="ec",
        key_size=256,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
