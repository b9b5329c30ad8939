"""S/MIME pairs made at run time, their PKCS#12 files, upload bodies and mails."""

import base64
import datetime as dt
import hashlib
import hmac
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, core
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

ROUNDS = 2048
PASSWORD = "marker-password-7Q"
ISSUED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class MadePair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def pkcs12(self, password: str = PASSWORD, *, legacy: bool = False) -> bytes:
        scheme = (
            pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC
            if legacy
            else pkcs12.PBES.PBESv2SHA256AndAES256CBC
        )
        builder = serialization.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS)
        builder = builder.key_cert_algorithm(scheme).hmac_hash(hashes.SHA256())
        protection = builder.build(password.encode())
        return pkcs12.serialize_key_and_certificates(
            b"smime", self.key, self.certificate, None, protection
        )


def make_pair(name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> MadePair:
    """A certificate of ``key`` by an unknown issuer."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Mail CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ISSUED)
        .not_valid_after(ISSUED + dt.timedelta(days=400))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return MadePair(certificate, key)


def part(bundle: bytes, password: str = PASSWORD) -> dict[str, str]:
    """The inner object of an upload."""
    return {"CertificatePayload": base64.b64encode(bundle).decode(), "Password": password}


def upload_body(
    signing: MadePair | None = None,
    encryption: MadePair | None = None,
    archived: tuple[MadePair, ...] = (),
) -> dict[str, Any]:
    """The body of an upload in its usual form."""
    body: dict[str, Any] = {}
    if signing:
        body["Signing"] = part(signing.pkcs12())
    if encryption:
        body["Encryption"] = part(encryption.pkcs12())
    if archived:
        body["ArchivedCertificates"] = [part(pair.pkcs12()) for pair in archived]
    return body


def joined(pairs: tuple[MadePair, ...], password: str = PASSWORD) -> bytes:
    """One PKCS#12 with the keys of all pairs, as no library writes it (RFC 7292 section 4)."""
    files = [asn1_pkcs12.Pfx.load(pair.pkcs12(password)) for pair in pairs]
    return assembled([content for file in files for content in file.authenticated_safe], password)


def mismatched(certificate_of: MadePair, key_of: MadePair) -> bytes:
    """A PKCS#12 with one pair's certificate and another pair's key."""
    certificates, keys = (
        [
            content
            for content in asn1_pkcs12.Pfx.load(pair.pkcs12()).authenticated_safe
            if kind(content)
        ]
        for pair, kind in ((certificate_of, _is_encrypted), (key_of, _is_plain))
    )
    return assembled(certificates + keys, PASSWORD)


def _is_encrypted(content: Any) -> bool:
    return bool(content["content_type"].native == "encrypted_data")


def _is_plain(content: Any) -> bool:
    return not _is_encrypted(content)


def assembled(parts: list[Any], password: str) -> bytes:
    """A PKCS#12 of these parts, with a MAC of its own."""
    safe = asn1_pkcs12.AuthenticatedSafe(parts).dump()
    salt = b"saltsalt"
    digest = hmac.new(mac_key(password, salt), safe, hashlib.sha256).digest()
    return bytes(
        asn1_pkcs12.Pfx(
            {
                "version": "v3",
                "auth_safe": cms.ContentInfo(
                    {"content_type": "data", "content": core.OctetString(safe)}
                ),
                "mac_data": {
                    "mac": {
                        "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                        "digest": digest,
                    },
                    "mac_salt": salt,
                    "iterations": 1,
                },
            }
        ).dump()
    )


def mac_key(password: str, salt: bytes) -> bytes:
    """The MAC key of one round of SHA-256 (RFC 7292 appendix B.2, purpose 3)."""
    secret = password.encode("utf-16-be") + b"\0\0"
    blocks = [bytes([3]) * 64, _filled(salt), _filled(secret)]
    return hashlib.sha256(b"".join(blocks)).digest()


def _filled(text: bytes) -> bytes:
    size = -(-len(text) // 64) * 64
    return (text * size)[:size]


def encrypted_mail(openssl: str, text: bytes, to: MadePair, folder: Path, *more: str) -> bytes:
    """A mail that the openssl command line encrypted (S/MIME unless ``more`` says otherwise)."""
    recipient = folder / f"{to.fingerprint[:16]}.pem"
    recipient.write_bytes(to.certificate.public_bytes(serialization.Encoding.PEM))
    command = [openssl, "cms", "-encrypt", "-binary", "-aes256", *more, str(recipient)]
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True).stdout
