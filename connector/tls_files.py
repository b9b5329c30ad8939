"""Loading mounted certificates and keys into TLS, for all parts that connect or listen."""

import ssl
from pathlib import Path

from cryptography import x509

from connector.core.errors import Permanent
from connector.mounted import read_mounted


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer with host name and chain verified; there is no way to switch that off.

    Args:
        ca_file: PEM certificates of trusted issuers; None trusts those of the system.

    Raises:
        Permanent: ``CFG-003`` when the file holds no certificate, or cannot be read, as
            :func:`connector.mounted.read_mounted`.
    """
    # Not create_default_context: that writes session keys to a file if SSLKEYLOGFILE says so.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    try:
        # The library takes ASCII; names in comments between the certificates may be in any script.
        context.load_verify_locations(cadata=read_mounted(ca_file).decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError):
        raise Permanent("CFG-003", f"reading {ca_file}: no PEM certificates") from None
    return context


def load_pair(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Load a certificate with its chain, and its key; without ``key`` it is in the same file.

    Raises:
        Permanent: ``CFG-003`` when the key is encrypted, they do not fit, or one cannot be read, as
            :func:`connector.mounted.read_mounted`.
    """
    for file in (certificate, key or certificate):
        read_mounted(file)  # OpenSSL opens them by path, and would wait for the writer of a pipe
    try:
        # A password keeps OpenSSL from asking a terminal when the key is encrypted.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError:
        text = f"reading {certificate} and {key or 'its key'}: no PEM certificate and key that fit"
        raise Permanent("CFG-003", text) from None
    except OSError as error:
        text = f"reading {certificate} or {key or 'its key'}: {error.strerror}"
        raise Permanent("CFG-003", text) from None


def first_certificate(file: Path) -> x509.Certificate:
    """The first certificate of a PEM file, which is its owner's own.

    Raises:
        Permanent: ``CFG-003`` when it cannot be read, as :func:`connector.mounted.read_mounted`.
    """
    try:
        return x509.load_pem_x509_certificates(read_mounted(file))[0]
    except ValueError:
        raise Permanent("CFG-003", f"reading {file}: no PEM certificates") from None
