"""Writing a PKCS#12 (RFC 7292) around a certificate that the library's parser refuses.

Parts, attributes, algorithms and rounds are those that the library writes, so that a device cannot
tell one from the other.
"""

import hashlib
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from asn1crypto.algos import EncryptionAlgorithm
from asn1crypto.cms import ContentInfo, EncryptedData
from asn1crypto.core import Null, ObjectIdentifier, OctetString, Sequence, SequenceOf
from asn1crypto.keys import EncryptedPrivateKeyInfo
from asn1crypto.pkcs12 import Attributes, AuthenticatedSafe, MacData, Pfx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector.keys.pkcs12.keycheck import SupportedKey
from connector.keys.pkcs12.protection import encrypted, mac_of

ROUNDS = 2048
SALT, VECTOR = 8, 16
X509, CERTIFICATE_BAG, KEY_BAG = (
    "1.2.840.113549.1.9.22.1",
    "1.2.840.113549.1.12.10.1.3",
    "1.2.840.113549.1.12.10.1.2",
)
Chance = Callable[[int], bytes]


class _Certificate(Sequence):  # type: ignore[misc] # untyped library
    """CertBag, with the certificate as mere octets: the library's own type parses what is in it."""

    _fields: ClassVar = [("kind", ObjectIdentifier), ("octets", OctetString, {"explicit": 0})]


class _CertificateBag(Sequence):  # type: ignore[misc] # untyped library
    _fields: ClassVar = [
        ("kind", ObjectIdentifier),
        ("value", _Certificate, {"explicit": 0}),
        ("attributes", Attributes),
    ]


class _KeyBag(Sequence):  # type: ignore[misc] # untyped library
    _fields: ClassVar = [
        ("kind", ObjectIdentifier),
        ("value", EncryptedPrivateKeyInfo, {"explicit": 0}),
        ("attributes", Attributes),
    ]


class _Certificates(SequenceOf):  # type: ignore[misc] # untyped library
    _child_spec = _CertificateBag


class _Keys(SequenceOf):  # type: ignore[misc] # untyped library
    _child_spec = _KeyBag


class Scheme(NamedTuple):
    """How everything in a bundle is protected: the encryption, and the digest of the MAC."""

    algorithm: Callable[[Chance], EncryptionAlgorithm]
    digest: str


class Parts(NamedTuple):
    """What goes into a bundle: a name to show, a key, and its DER certificate."""

    name: bytes
    key: SupportedKey
    certificate: bytes

    def __repr__(self) -> str:
        """Nothing of the key."""
        return "<Parts>"


def compose(parts: Parts, scheme: Scheme, password: bytes, token_bytes: Chance) -> bytes:
    """One identity as a PKCS#12 under a password."""
    attributes = [
        {"type": "friendly_name", "values": [parts.name.decode("ascii")]},
        {"type": "local_key_id", "values": [_key_id(parts.certificate)]},
    ]
    certificate = {"kind": X509, "octets": parts.certificate}
    key = _encrypted_key(parts.key, scheme.algorithm(token_bytes), password)
    certificates = _Certificates(
        [{"kind": CERTIFICATE_BAG, "value": certificate, "attributes": attributes}]
    ).dump()
    keys = _Keys([{"kind": KEY_BAG, "value": key, "attributes": attributes}]).dump()
    safe = AuthenticatedSafe(
        [
            _encrypted_part(certificates, scheme.algorithm(token_bytes), password),
            ContentInfo({"content_type": "data", "content": OctetString(keys)}),
        ]
    ).dump()
    bundle = Pfx(
        {
            "version": "v3",
            "auth_safe": ContentInfo({"content_type": "data", "content": OctetString(safe)}),
            "mac_data": _mac(safe, scheme.digest, password, token_bytes(SALT)),
        }
    )
    return bytes(bundle.dump())


def _key_id(certificate: bytes) -> bytes:
    """The id that ties key and certificate together; by convention SHA-1, trust does not matter."""
    return hashlib.sha1(certificate, usedforsecurity=False).digest()


def _encrypted_part(
    contents: bytes, algorithm: EncryptionAlgorithm, password: bytes
) -> ContentInfo:
    information = {
        "content_type": "data",
        "content_encryption_algorithm": algorithm,
        "encrypted_content": encrypted(algorithm, password, contents),
    }
    part = EncryptedData({"version": "v0", "encrypted_content_info": information})
    return ContentInfo({"content_type": "encrypted_data", "content": part})


def _encrypted_key(
    key: SupportedKey, algorithm: EncryptionAlgorithm, password: bytes
) -> EncryptedPrivateKeyInfo:
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    content = encrypted(algorithm, password, plain)
    return EncryptedPrivateKeyInfo({"encryption_algorithm": algorithm, "encrypted_data": content})


def _mac(safe: bytes, digest: str, password: bytes, salt: bytes) -> MacData:
    mac = {
        "digest_algorithm": {"algorithm": digest, "parameters": Null()},
        "digest": mac_of(safe, digest, password, salt, ROUNDS),
    }
    return MacData({"mac": mac, "mac_salt": salt, "iterations": ROUNDS})


def _modern(token_bytes: Chance) -> EncryptionAlgorithm:
    derivation = {
        "salt": OctetString(token_bytes(SALT)),
        "iteration_count": ROUNDS,
        "prf": {"algorithm": "sha256", "parameters": Null()},
    }
    parameters = {
        "key_derivation_func": {"algorithm": "pbkdf2", "parameters": derivation},
        "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": token_bytes(VECTOR)},
    }
    return EncryptionAlgorithm({"algorithm": "pbes2", "parameters": parameters})


def _compat(token_bytes: Chance) -> EncryptionAlgorithm:
    parameters = {"salt": token_bytes(SALT), "iterations": ROUNDS}
    return EncryptionAlgorithm(
        {"algorithm": "pkcs12_sha1_tripledes_3key", "parameters": parameters}
    )


MODERN = Scheme(_modern, "sha256")
COMPAT = Scheme(_compat, "sha1")
