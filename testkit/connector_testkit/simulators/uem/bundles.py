"""Opening what an upload carried: PKCS#12 (RFC 7292) with one pair or, in bundle mode, several.

`cryptography` checks the MAC, decrypts the certificates and loads the first key. It leaves out any
further key, so those shrouded key bags are found with asn1crypto and opened one by one.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator

from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    pkcs12,
)

from connector_testkit.simulators.uem.records import Pair, PrivateKey, SlotName


class BadBundleError(Exception):
    """A PKCS#12 that the UEM refuses; the text says why and holds nothing of it."""


def decode_payload(payload: str) -> bytes:
    """Base64 on one line to DER. Raises :class:`BadBundleError`."""
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise BadBundleError("CertificatePayload is not base64") from None


def open_bundle(der: bytes, password: str, slot: SlotName) -> list[Pair]:
    """All pairs of one PKCS#12, the main one first and in ``slot``, the others as archived.

    Raises:
        BadBundleError: wrong password, damaged, no key, or key and certificate do not fit.
    """
    try:
        content = pkcs12.load_pkcs12(der, password.encode())
    except (ValueError, TypeError):
        raise BadBundleError("the PKCS#12 cannot be opened with this password") from None
    if content.key is None or content.cert is None:
        raise BadBundleError("the PKCS#12 holds no key with its certificate")
    first = _pair(slot, content.cert.certificate, _supported(content.key))
    others = [entry.certificate for entry in content.additional_certs]
    return [first, *_further(der, password, others)]


def _further(der: bytes, password: str, certificates: list[x509.Certificate]) -> Iterator[Pair]:
    """The pairs besides the first one, whose certificate is not among ``certificates``."""
    bags = list(_shrouded_keys(der))
    if len(bags) < 2:  # noqa: PLR2004 - the first key is loaded already
        return
    by_public_key = {_public_key(certificate): certificate for certificate in certificates}
    for bag in bags:
        key = _load(bag, password)
        certificate = by_public_key.get(_spki(key))
        if certificate is not None:
            yield _pair("archived", certificate, key)


def _load(bag: bytes, password: str) -> PrivateKey:
    try:
        return _supported(load_der_private_key(bag, password.encode()))
    except (ValueError, TypeError):
        raise BadBundleError("a further key of the PKCS#12 cannot be opened") from None


def _shrouded_keys(der: bytes) -> Iterator[bytes]:
    """DER of each EncryptedPrivateKeyInfo in the plain parts of the file."""
    for part in asn1_pkcs12.Pfx.load(der).authenticated_safe:
        if part["content_type"].native != "data":
            continue
        for bag in asn1_pkcs12.SafeContents.load(part["content"].native):
            if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
                yield bag["bag_value"].untag().dump()


def _pair(slot: SlotName, certificate: x509.Certificate, key: PrivateKey) -> Pair:
    public = _public_key(certificate)
    if public != _spki(key):
        raise BadBundleError("certificate and private key do not belong together")
    der = certificate.public_bytes(Encoding.DER)
    return Pair(slot, certificate, key, hashlib.sha256(der).hexdigest(), public)


def _supported(key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise BadBundleError("the private key is neither RSA nor EC")


def _spki(key: PrivateKey) -> str:
    return _digest(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _public_key(certificate: x509.Certificate) -> str:
    public = certificate.public_key()
    return _digest(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
