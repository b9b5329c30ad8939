"""What is checked of a foreign PKCS#12 before anything in it is decrypted.

A CA's answer is input like any other: it may be an error page, cut off, or made to burn the
processor. Everything here reads the outer structure (RFC 7292 section 4) and the cost that the
file asks for; nothing is derived from the password and no key is loaded.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from asn1crypto.algos import EncryptionAlgorithm
from asn1crypto.cms import ContentInfo
from asn1crypto.core import Asn1Value
from asn1crypto.keys import EncryptedPrivateKeyInfo, PrivateKeyInfo
from asn1crypto.pkcs12 import AuthenticatedSafe, MacData, Pfx

from connector.certificates.der import OCTET_STRING, Element, identifier, only
from connector.core.errors import Permanent
from connector.keys.pkcs12.cost import bounded_iterations, check_encryption, check_mac_digest
from connector.keys.pkcs12.recognise import recognise

BUNDLE_LIMIT = 128 * 1024
"""Bytes of one bundle: a key of the largest size and a long chain are below 32 KiB."""

ENCRYPTED_KEY_LIMIT = 4864
"""Bytes of the encrypted PKCS#8: RSA with 8192 bits takes 4,690; anything larger stays outside."""

BAGS = "1.2.840.113549.1.12.10.1."
X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
CONTENTS_LIMIT = 8
BAGS_LIMIT = 32

MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What asn1crypto raises on bytes that are not what they claim to be."""


class Sealed(NamedTuple):
    """Something encrypted under the password; ``der`` is all of it, algorithm included."""

    algorithm: EncryptionAlgorithm
    content: bytes
    der: bytes = b""


class Outline(NamedTuple):
    """A bundle that passed. ``content`` is what the MAC is over; nothing is decrypted yet."""

    content: bytes
    mac: MacData
    keys: tuple[Sealed, ...]
    parts: tuple[Sealed, ...]
    certificates: tuple[bytes, ...]


@dataclass(repr=False)
class Inventory:
    """What lies in the parts of a bundle, in the order in which it was found."""

    keys: list[Sealed] = field(default_factory=list)
    clear_keys: list[bytes] = field(default_factory=list)
    parts: list[Sealed] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)

    def take(self, contents: bytes) -> None:
        """Take stock of safe contents (RFC 7292 section 4.2).

        Certificates and the names of bags are not looked at: an odd one of them is no fault.
        """
        bags = only(contents).inside()
        if len(bags) > BAGS_LIMIT:
            raise Permanent("P12-001", "parsing bundle: too many bags")
        for bag in bags:
            kind, value, *_ = bag.inside()
            self._bag(identifier(kind), value.inside()[0])

    def _bag(self, kind: str, value: Element) -> None:
        match kind.removeprefix(BAGS):
            case "3":
                self.certificates += _x509_in(value)
            case "4":  # a revocation list
                return
            case "1":
                self.clear_keys.append(PrivateKeyInfo.load(value.whole).dump(force=True))
            case "2":
                self.keys.append(_sealed_key(EncryptedPrivateKeyInfo.load(value.whole)))
            case _:
                raise Permanent("P12-001", "parsing bundle: a bag of a type that is not allowed")


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
    except MALFORMED:
        raise Permanent("P12-001", "parsing bundle: not a PKCS#12 structure") from None


def _outline(bundle: bytes) -> Outline:
    pfx = Pfx.load(bundle, strict=True)
    if pfx["version"].native != "v3":
        raise Permanent("P12-001", "parsing bundle: not PKCS#12 version 3")
    if pfx["auth_safe"]["content_type"].native != "data":
        raise Permanent("P12-010", "parsing bundle: not protected by a password")
    _check_mac(pfx["mac_data"])
    found = _inventory(pfx.authenticated_safe)
    if found.clear_keys:
        raise Permanent("P12-012", "parsing bundle: the private key in it is not encrypted")
    if len(found.keys) > 1 or not (found.keys or found.parts):
        raise Permanent(
            "P12-005", f"parsing bundle: {len(found.keys)} private keys in it instead of one"
        )
    return Outline(
        bytes(pfx["auth_safe"]["content"]),
        pfx["mac_data"],
        tuple(found.keys),
        tuple(found.parts),
        tuple(found.certificates),
    )


def _check_mac(mac_data: MacData | Asn1Value) -> None:
    if not isinstance(mac_data, MacData):
        raise Permanent("P12-011", "parsing bundle: no integrity check (MAC) in it")
    check_mac_digest(mac_data["mac"]["digest_algorithm"]["algorithm"].native)
    bounded_iterations(mac_data["iterations"].native)


def _inventory(safe: AuthenticatedSafe) -> Inventory:
    if len(safe) > CONTENTS_LIMIT:
        raise Permanent("P12-001", "parsing bundle: too many parts")
    found = Inventory()
    for part in safe:
        kind = part["content_type"].native
        if kind == "encrypted_data":
            found.parts.append(_sealed_part(part))
        elif kind == "data":
            found.take(part["content"].native)
        else:
            raise Permanent("P12-010", "parsing bundle: a part is not protected by a password")
    return found


def _sealed_part(part: ContentInfo) -> Sealed:
    information = part["content"]["encrypted_content_info"]
    algorithm = information["content_encryption_algorithm"]
    check_encryption(algorithm)
    return Sealed(algorithm, information["encrypted_content"].native)


def _sealed_key(value: EncryptedPrivateKeyInfo) -> Sealed:
    algorithm, content = value["encryption_algorithm"], value["encrypted_data"].native
    check_encryption(algorithm)
    if len(content) > ENCRYPTED_KEY_LIMIT:
        raise Permanent("KEY-204", "checking key: larger than an RSA key of 8192 bits")
    return Sealed(algorithm, content, value.dump(force=True))


def _x509_in(bag: Element) -> list[bytes]:
    """The certificate of a bag, unparsed; none when it is of another kind."""
    kind, certificate = bag.inside()
    if identifier(kind) != X509_CERTIFICATE:
        return []
    return [certificate.inside()[0].be(OCTET_STRING).content]
