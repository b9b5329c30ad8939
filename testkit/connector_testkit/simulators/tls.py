"""A throw-away TLS PKI on disk: own root, one server certificate and, if wanted, one client's.

The profiles follow RFC 5280 sections 4.2.1.1 to 4.2.1.12 strictly enough for OpenSSL's
``X509_V_FLAG_X509_STRICT`` (Python: ``ssl.VERIFY_X509_STRICT``). Validity is a fixed, wide window,
so that a simulator with a turned clock accepts them as well. Never for production: the root's key
is forgotten at once, nothing can be revoked.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = ("127.0.0.1", "localhost")
NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class TlsFiles:
    """Where the PEM files lie; the client's two are ``None`` when no client was asked for."""

    ca: Path
    certificate: Path
    key: Path
    client_certificate: Path | None
    client_key: Path | None


def issue_tls(
    directory: Path,
    *,
    client: str | None = None,
    hosts: tuple[str, ...] = LOOPBACK,
    ends: datetime | None = None,
) -> TlsFiles:
    """Write a new PKI into ``directory`` (made if missing, files of an earlier call replaced).

    Args:
        directory: gets ``ca.pem``, ``server.pem``, ``server.key`` and, with ``client``,
            ``client.pem`` and ``client.key``. Keys have mode 0600.
        client: common name of a client certificate, or ``None`` for none.
        hosts: IP addresses and DNS names of the server certificate; repeated ones count once.
        ends: when server and client certificate end; default: in many years.

    Returns:
        The paths of what was written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    root = _Root(NOT_AFTER if ends is None else ends)
    _write(directory / "ca.pem", root.pem())
    names = x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    server = root.issue(hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, names)
    certificate, key = _write_pair(directory, "server", server)
    files = TlsFiles(directory / "ca.pem", certificate, key, None, None)
    if client is None:
        return files
    pair = root.issue(client, ExtendedKeyUsageOID.CLIENT_AUTH, None)
    client_certificate, client_key = _write_pair(directory, "client", pair)
    return TlsFiles(files.ca, files.certificate, files.key, client_certificate, client_key)


class _Root:
    """A self-signed issuer that lives as long as one call."""

    def __init__(self, ends: datetime) -> None:
        self._ends = ends
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Throw-away TLS root")
        public = self._key.public_key()
        self._certificate = (
            _builder(self._name, self._name, public, NOT_AFTER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(is_authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        common_name: str,
        purpose: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> tuple[bytes, bytes]:
        """Certificate and key (PKCS#8), both PEM, for one purpose."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            _builder(_name(common_name), self._name, public, self._ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(authority, critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(ends)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_pair(directory: Path, stem: str, pair: tuple[bytes, bytes]) -> tuple[Path, Path]:
    certificate, key = directory / f"{stem}.pem", directory / f"{stem}.key"
    _write(certificate, pair[0])
    _write(key, pair[1], mode=0o600)
    return certificate, key


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write with the mode set before the first byte, also when the file was there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
