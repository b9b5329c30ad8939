"""The issuing CA: S/MIME certificates of RFC 8551 section 4.4 and RFC 5280, under a root."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from connector.core.addresses import canonical_host
from connector.core.model import Usage
from connector_testkit.simulators.ca.keys import PrivateKey
from connector_testkit.simulators.ca.shapes import Draft, Shape, shaped, tlv

NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 12, 31, tzinfo=UTC)
SERIAL_BITS = 152
LONGEST_NAME = 64
SMTP_UTF8_MAILBOX = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9")


@dataclass(frozen=True)
class Leaf:
    """What a certificate is issued for; ``addresses`` become rfc822Name entries."""

    common_name: str
    addresses: tuple[str, ...]
    usage: Usage
    not_before: datetime
    not_after: datetime


class Authority:
    """A root and an issuing CA with P-256 keys that live as long as the object."""

    def __init__(self, dice: Random) -> None:
        """Make both certificates; ``dice`` gives the serial numbers."""
        self._dice = dice
        root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root_name = _name("Simulated S/MIME Root")
        self._issuer = _name("Simulated S/MIME CA 1")
        self.root = self._authority(root_name, root_name, root_key.public_key(), root_key)
        self.issuing = self._authority(self._issuer, root_name, self._key.public_key(), root_key)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The issuing certificates of every leaf, the leaf's issuer first, the root left out."""
        return (self.issuing,)

    def pem(self) -> bytes:
        """Issuing certificate and root, PEM."""
        encoding = serialization.Encoding.PEM
        return self.issuing.public_bytes(encoding) + self.root.public_bytes(encoding)

    def issue(self, leaf: Leaf, key: PrivateKey, shape: Shape | None = None) -> bytes:
        """A certificate for the public half of ``key``, DER; in a shape, if one is named."""
        if shape is None:
            return self._ordinary(leaf, key).public_bytes(serialization.Encoding.DER)
        draft = Draft(
            key=key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            issuer=self._issuer.public_bytes(),
            common_name=leaf.common_name,
            addresses=leaf.addresses,
            usage=leaf.usage.value,
            not_before=leaf.not_before,
            not_after=leaf.not_after,
            serial=self._serial().to_bytes(SERIAL_BITS // 8 + 1),
        )
        return shaped(draft, shape, self._sign)

    def _serial(self) -> int:
        return self._dice.getrandbits(SERIAL_BITS) | 1 << (SERIAL_BITS - 1) | 1

    def _sign(self, content: bytes, digest: str) -> bytes:
        made = hashes.SHA1() if digest == "sha1" else hashes.SHA256()  # noqa: S303 - as of then
        return self._key.sign(content, ec.ECDSA(made))

    def _ordinary(self, leaf: Leaf, key: PrivateKey) -> x509.Certificate:
        public = key.public_key()
        names = x509.SubjectAlternativeName([_alternative_name(one) for one in leaf.addresses])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = (
            self._builder(_name(leaf.common_name), self._issuer)
            .public_key(public)
            .not_valid_before(leaf.not_before)
            .not_valid_after(leaf.not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_leaf_usage(leaf.usage, key), critical=True)
            .add_extension(purpose, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(authority, critical=False)
        )
        if leaf.addresses:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .serial_number(self._serial())
        )

    def _authority(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        public: ec.EllipticCurvePublicKey,
        signer: ec.EllipticCurvePrivateKey,
    ) -> x509.Certificate:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        return (
            self._builder(subject, issuer)
            .public_key(public)
            .not_valid_before(NOT_BEFORE)
            .not_valid_after(NOT_AFTER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(authority, critical=False)
            .sign(signer, hashes.SHA256())
        )


def _alternative_name(address: str) -> x509.GeneralName:
    """An rfc822Name, or an SmtpUTF8Mailbox where the local part needs one (RFC 9598)."""
    local, _, host = address.rpartition("@")
    written = f"{local}@{canonical_host(host)}"
    if written.isascii():
        return x509.RFC822Name(written)
    return x509.OtherName(SMTP_UTF8_MAILBOX, tlv(0x0C, written.encode()))


def _fitting(text: str) -> str:
    """Text cut to the longest common name (RFC 5280: 64), which the library counts in octets."""
    return text.encode()[:LONGEST_NAME].decode(errors="ignore")


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Simulated Company"),
            x509.NameAttribute(NameOID.COMMON_NAME, _fitting(common_name)),
        ]
    )


def _leaf_usage(usage: Usage, key: PrivateKey) -> x509.KeyUsage:
    """RSA keys encipher content keys; EC keys agree on them (RFC 8551 section 4.4.2)."""
    encrypts = usage in {Usage.ENCRYPTION, Usage.BOTH}
    agrees = isinstance(key, ec.EllipticCurvePrivateKey)
    return _key_usage(
        digital_signature=usage in {Usage.SIGNING, Usage.BOTH},
        key_encipherment=encrypts and not agrees,
        key_agreement=encrypts and agrees,
    )


def _key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_agreement: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=key_agreement,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
