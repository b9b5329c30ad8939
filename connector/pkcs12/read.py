"""Opening a foreign PKCS#12 once: full key check, and the key is the one that was asked for."""

import hashlib
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12KeyAndCertificates,
    load_pkcs12,
)

from connector.core.errors import Permanent
from connector.core.model import Sha256Hex
from connector.core.secret import KeyMaterial
from connector.pkcs12.keycheck import SupportedKey, check_numbers
from connector.pkcs12.preflight import check_outline


class Expected(NamedTuple):
    """Which generation the bundle must hold.

    ``certificate``: DER, as the CA lists it; it goes into our own bundle, also when the CA
    re-issued another certificate around the recovered key. ``siblings``: public keys (SHA-256 of
    the SubjectPublicKeyInfo) of the same person's generations, which tells a mixed-up generation
    from another person's key.
    """

    fingerprint: Sha256Hex
    public_key: Sha256Hex
    certificate: bytes
    archived: bool = False
    siblings: frozenset[Sha256Hex] = frozenset()


class Identity(NamedTuple):
    """One opened generation. ``reissued``: the CA's bundle held another certificate of the key."""

    key: SupportedKey
    certificate: x509.Certificate
    reissued: bool

    def __repr__(self) -> str:
        """Nothing of the key."""
        return "<Identity>"


def open_bundle(bundle: KeyMaterial, password: KeyMaterial, expected: Expected) -> Identity:
    """Open a CA's bundle and prove that it holds the generation that was asked for.

    Args:
        bundle: PKCS#12 as it came.
        password: the one that was made for this fetch.
        expected: the generation, as approved and listed.

    Raises:
        Permanent: ``P12-…`` when it is not a usable bundle, ``KEY-…`` when the key in it is not
            usable or not the one asked for.
        Transient: ``P12-002`` when it is cut off.
    """
    outline = check_outline(bundle.reveal())
    decrypted = _decrypted_key(outline.shrouded_key, password)
    unchecked = check_numbers(decrypted, archived=expected.archived)
    opened = _opened(bundle, password, outline.shrouded_key)
    key = check_numbers(opened.key, archived=expected.archived)
    if _digest(key.public_key()) != _digest(unchecked.public_key()):
        raise Permanent("P12-005", "opening bundle: more than one private key in it")
    return _belonging(key, opened, expected)


def _decrypted_key(shrouded: bytes, password: KeyMaterial) -> PrivateKeyTypes:
    """The key, unchecked: the full check is run once its numbers are known to be affordable."""
    try:
        return load_der_private_key(
            shrouded, bytes(password.reveal()), unsafe_skip_rsa_key_validation=True
        )
    except UnsupportedAlgorithm:
        raise Permanent("KEY-203", "opening bundle: key of an unsupported kind") from None
    except (ValueError, TypeError):
        raise Permanent("P12-004", "opening bundle: wrong password or damaged key") from None


def _opened(
    bundle: KeyMaterial, password: KeyMaterial, shrouded: bytes
) -> PKCS12KeyAndCertificates:
    try:
        return load_pkcs12(bytes(bundle.reveal()), bytes(password.reveal()))
    except UnsupportedAlgorithm:
        raise Permanent("P12-010", "opening bundle: protected in an unsupported way") from None
    except (ValueError, TypeError):
        _check_fully(shrouded, password)
        raise Permanent("P12-011", "opening bundle: integrity check (MAC) failing") from None


def _check_fully(shrouded: bytes, password: KeyMaterial) -> None:
    """Tell a key that is no key from a damaged bundle; both are one error to the library."""
    try:
        load_der_private_key(shrouded, bytes(password.reveal()))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Permanent("KEY-208", "checking key: not a valid private key") from None


def _belonging(key: SupportedKey, opened: PKCS12KeyAndCertificates, expected: Expected) -> Identity:
    certificates = [entry.certificate for entry in (opened.cert, *opened.additional_certs) if entry]
    if not certificates:
        raise Permanent("P12-013", "opening bundle: no certificate in it")
    digest = _digest(key.public_key())
    own = [one for one in certificates if _certified(one) == digest]
    if not own:
        raise Permanent("KEY-201", "checking key: does not fit the certificate next to it")
    if digest != expected.public_key:
        _refuse_other(digest, expected.siblings)
    listed = x509.load_der_x509_certificate(expected.certificate)
    if _certified(listed) != digest or fingerprint(listed) != expected.fingerprint:
        raise Permanent("KEY-209", "checking key: the listed certificate is not the approved one")
    return Identity(
        key=key,
        certificate=listed,
        reissued=expected.fingerprint not in {fingerprint(one) for one in own},
    )


def _refuse_other(digest: Sha256Hex, siblings: frozenset[Sha256Hex]) -> None:
    if digest in siblings:
        raise Permanent("KEY-202", "checking key: of another generation than asked for")
    raise Permanent("KEY-206", "checking key: of another person than asked for")


def fingerprint(certificate: x509.Certificate) -> Sha256Hex:
    """SHA-256 of the DER certificate: the name of a generation."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _certified(certificate: x509.Certificate) -> Sha256Hex | None:
    """Digest of a certificate's public key; None for a kind that cannot be ours anyway."""
    try:
        return _digest(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _digest(key: PublicKeyTypes) -> Sha256Hex:
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
