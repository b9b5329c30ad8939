"""What is checked of a foreign PKCS#12 before anything in it is decrypted.

A CA's answer is input like any other: it may be an error page, cut off, or made to burn the
processor. Everything here reads the outer structure (RFC 7292 section 4) and the cost that the
file asks for; nothing is derived from the password and no key is loaded.
"""

from typing import NamedTuple

from asn1crypto.cms import ContentInfo
from asn1crypto.core import Asn1Value
from asn1crypto.pkcs12 import AuthenticatedSafe, MacData, Pfx, SafeBag, SafeContents

from connector.core.errors import Permanent
from connector.pkcs12.cost import bounded_iterations, check_encryption, check_mac_digest
from connector.pkcs12.recognise import recognise

BUNDLE_LIMIT = 128 * 1024
"""Bytes of one bundle: a key of the largest size and a long chain are below 32 KiB."""

ENCRYPTED_KEY_LIMIT = 4864
"""Bytes of the encrypted PKCS#8: RSA with 8192 bits takes 4,690; anything larger stays outside."""

CONTENTS_LIMIT = 8
BAGS_LIMIT = 32

_MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What asn1crypto raises on bytes that are not what they claim to be."""


class Outline(NamedTuple):
    """A bundle that passed. ``shrouded_key``: DER EncryptedPrivateKeyInfo, still encrypted."""

    shrouded_key: bytes


def check_outline(bundle: bytes | bytearray) -> Outline:
    """Read the outer structure of a bundle, within limits, without decrypting anything.

    Args:
        bundle: PKCS#12 as it came from the CA, DER or BER.

    Raises:
        Permanent: ``P12-…`` or ``KEY-204``, each for one way to be unusable.
        Transient: ``P12-002`` when it is cut off.
    """
    if len(bundle) > BUNDLE_LIMIT:
        raise Permanent("P12-003", f"checking bundle: larger than {BUNDLE_LIMIT} bytes")
    recognise(bundle)
    try:
        return _outline(bytes(bundle))
    except _MALFORMED:
        raise Permanent("P12-001", "parsing bundle: not a PKCS#12 structure") from None


def _outline(bundle: bytes) -> Outline:
    pfx = Pfx.load(bundle, strict=True)
    if pfx["version"].native != "v3":
        raise Permanent("P12-001", "parsing bundle: not PKCS#12 version 3")
    if pfx["auth_safe"]["content_type"].native != "data":
        raise Permanent("P12-010", "parsing bundle: not protected by a password")
    _check_mac(pfx["mac_data"])
    keys = _shrouded_keys(pfx.authenticated_safe)
    if len(keys) != 1:
        raise Permanent(
            "P12-005", f"parsing bundle: {len(keys)} encrypted private keys instead of one"
        )
    return Outline(keys[0])


def _check_mac(mac_data: MacData | Asn1Value) -> None:
    if not isinstance(mac_data, MacData):
        raise Permanent("P12-011", "parsing bundle: no integrity check (MAC) in it")
    check_mac_digest(mac_data["mac"]["digest_algorithm"]["algorithm"].native)
    bounded_iterations(mac_data["iterations"].native)


def _shrouded_keys(safe: AuthenticatedSafe) -> list[bytes]:
    if len(safe) > CONTENTS_LIMIT:
        raise Permanent("P12-001", "parsing bundle: too many parts")
    return [key for content in safe for key in _keys_of(content)]


def _keys_of(content: ContentInfo) -> list[bytes]:
    kind = content["content_type"].native
    if kind == "encrypted_data":
        information = content["content"]["encrypted_content_info"]
        check_encryption(information["content_encryption_algorithm"])
        return []
    if kind != "data":
        raise Permanent("P12-010", "parsing bundle: a part is not protected by a password")
    bags = SafeContents.load(content["content"].native, strict=True)
    if len(bags) > BAGS_LIMIT:
        raise Permanent("P12-001", "parsing bundle: too many bags")
    return [key for bag in bags for key in _key_in(bag)]


def _key_in(bag: SafeBag) -> list[bytes]:
    kind = bag["bag_id"].native
    if kind in {"cert_bag", "crl_bag"}:
        return []
    if kind == "key_bag":
        raise Permanent("P12-012", "parsing bundle: the private key in it is not encrypted")
    if kind != "pkcs8_shrouded_key_bag":
        raise Permanent("P12-001", "parsing bundle: a bag of a kind that has no place in it")
    shrouded = bag["bag_value"]
    check_encryption(shrouded["encryption_algorithm"])
    if len(shrouded["encrypted_data"].native) > ENCRYPTED_KEY_LIMIT:
        raise Permanent("KEY-204", "checking key: larger than an RSA key of 8192 bits")
    return [shrouded.untag().dump(force=True)]
