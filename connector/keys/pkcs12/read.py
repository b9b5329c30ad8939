"""Opening a foreign PKCS#12 once: full key check, and the key is the one that was asked for."""

import hashlib
import hmac
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from connector.certificates.reading import Unreadable, read
from connector.core.errors import Permanent
from connector.core.key_material import KeyMaterial
from connector.core.model import Sha256Hex
from connector.keys.pkcs12.keycheck import SupportedKey, check_numbers
from connector.keys.pkcs12.preflight import MALFORMED, Inventory, Outline, Sealed, check_outline
from connector.keys.pkcs12.protection import decrypted, mac_of, opens

KEYS_OPENED_HERE = {"pkcs12_sha1_tripledes_2key", "pkcs12_sha1_rc2_128"}
"""Schemes in which the library does not decrypt a key by itself."""


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
    """One opened generation: its key, and the listed certificate (DER).

    ``reissued``: the CA's bundle held another certificate of the key.
    """

    key: SupportedKey
    certificate: bytes
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
    secret = bytes(password.reveal())
    _prove(outline, secret)
    found = _inside(outline, secret)
    if len(found.keys) != 1:
        raise Permanent(
            "P12-005", f"opening bundle: {len(found.keys)} private keys in it instead of one"
        )
    return _belonging(_key(*found.keys[0], archived=expected.archived), found, expected)


class _Inside(NamedTuple):
    """What a bundle holds, keys and certificates as DER.

    A key comes with the password when it is still encrypted; ``hidden`` tells that a part was left
    unread, because its cipher is for certificates of long ago only.
    """

    keys: list[tuple[bytes, bytes | None]]
    certificates: list[bytes]
    hidden: bool

    def __repr__(self) -> str:
        """Nothing of the keys."""
        return "<Inside>"


def _prove(outline: Outline, password: bytes) -> None:
    """Check the MAC separately, so that other faults are not reported as tampering."""
    mac = outline.mac
    computed = mac_of(
        outline.content,
        mac["mac"]["digest_algorithm"]["algorithm"].native,
        password,
        mac["mac_salt"].native,
        mac["iterations"].native,
    )
    if hmac.compare_digest(computed, mac["mac"]["digest"].native):
        return
    if _fits(outline, password):
        raise Permanent("P12-011", "opening bundle: integrity check (MAC) failing")
    raise Permanent("P12-004", "opening bundle: wrong password or damaged key")


def _fits(outline: Outline, password: bytes) -> bool:
    """Whether the password opens the key, so that only what is around it can have been changed."""
    try:
        for der, secret in _inside(outline, password).keys:
            load_der_private_key(der, secret, unsafe_skip_rsa_key_validation=True)
    except (Permanent, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _inside(outline: Outline, password: bytes) -> _Inside:
    """Everything in the bundle, also in the parts that are encrypted as a whole."""
    stock = Inventory(list(outline.keys), certificates=list(outline.certificates))
    hidden = False
    for part in outline.parts:
        if opens(part.algorithm):
            stock.take(_opened(part, password))
        else:
            hidden = True
    keys: list[tuple[bytes, bytes | None]] = [(der, None) for der in stock.clear_keys]
    keys += [_unsealed(key, password) for key in stock.keys]
    return _Inside(keys, stock.certificates, hidden)


def _unsealed(key: Sealed, password: bytes) -> tuple[bytes, bytes | None]:
    """A key as the library loads it: it decrypts PKCS#8 itself, but for two old ciphers."""
    if key.algorithm["algorithm"].native in KEYS_OPENED_HERE:
        return _opened(key, password), None
    return key.der, password


def _opened(sealed: Sealed, password: bytes) -> bytes:
    try:
        return decrypted(sealed.algorithm, password, sealed.content)
    except MALFORMED:
        raise Permanent("P12-004", "opening bundle: wrong password or damaged contents") from None


def _key(der: bytes, password: bytes | None, *, archived: bool) -> SupportedKey:
    """The key: its numbers first, and the full check once they are known to be affordable."""
    try:
        unchecked = load_der_private_key(der, password, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm:
        raise Permanent("KEY-203", "opening bundle: key of an unsupported kind") from None
    except (ValueError, TypeError):
        raise Permanent("P12-004", "opening bundle: wrong password or damaged key") from None
    check_numbers(unchecked, archived=archived)
    try:
        return check_numbers(load_der_private_key(der, password), archived=archived)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Permanent("KEY-208", "checking key: not a valid private key") from None


def _belonging(key: SupportedKey, found: _Inside, expected: Expected) -> Identity:
    """The key with the listed certificate; the enclosed ones are only compared.

    One among them that cannot be read may be the key's own, and proves nothing against it.
    """
    if not found.certificates and not found.hidden:
        raise Permanent("P12-013", "opening bundle: no certificate in it")
    digest = _digest(key.public_key())
    certified = {der: _certified(der) for der in found.certificates}
    own = [der for der, public_key in certified.items() if public_key == digest]
    if not own and not found.hidden and None not in certified.values():
        raise Permanent("KEY-201", "checking key: does not fit the certificate next to it")
    if digest != expected.public_key:
        _refuse_other(digest, expected.siblings)
    if (
        _certified(expected.certificate) != digest
        or _name(expected.certificate) != expected.fingerprint
    ):
        raise Permanent("KEY-209", "checking key: the listed certificate is not the approved one")
    reissued = bool(own) and expected.fingerprint not in map(_name, own)
    return Identity(key=key, certificate=expected.certificate, reissued=reissued)


def _refuse_other(digest: Sha256Hex, siblings: frozenset[Sha256Hex]) -> None:
    if digest in siblings:
        raise Permanent("KEY-202", "checking key: of another generation than asked for")
    raise Permanent("KEY-206", "checking key: of another person than asked for")


def _name(certificate: bytes) -> Sha256Hex:
    """SHA-256 of the DER certificate: the name of a generation."""
    return hashlib.sha256(certificate).hexdigest()


def _certified(certificate: bytes) -> Sha256Hex | None:
    """Digest of a certificate's public key; None when it cannot be read."""
    try:
        return read(certificate).public_key
    except Unreadable:
        return None


def _digest(key: PublicKeyTypes) -> Sha256Hex:
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
