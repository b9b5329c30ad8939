"""Writing our own PKCS#12: one identity per file, under a password made for this file.

More rounds would not make a file stronger: a guesser attacks the MAC, which the library always
writes with 2,048 rounds. Strength comes from the password, so 2,048 rounds are used throughout.
"""

import base64
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    KeySerializationEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PBES,
    serialize_key_and_certificates,
)

from connector.core.key_material import KeyMaterial
from connector.keys.pkcs12.compose import COMPAT, MODERN, ROUNDS, Parts, Scheme, compose
from connector.keys.pkcs12.read import Identity

PASSWORD_BYTES = 20
"""160 bits of chance: 32 characters of base32, the most that old importers take."""

FRIENDLY_NAME = b"smime"
"""Says nothing about the person; devices show the certificate's own subject."""


class Profile(StrEnum):
    """How a bundle is protected; a target names one, and nothing weaker is ever chosen."""

    MODERN = "modern"
    """PBES2 with AES-256-CBC, MAC with SHA-256: Windows 10 / Server 2019, Java 8u301 and newer."""

    COMPAT = "compat"
    """PBE with SHA-1 and 3DES, MAC with SHA-1: for importers that call the other "wrong"."""


class Packaged(NamedTuple):
    """One bundle of ours and its password."""

    pkcs12: KeyMaterial
    password: KeyMaterial

    def __repr__(self) -> str:
        """Nothing of either."""
        return "<Packaged>"


def new_password(token_bytes: Callable[[int], bytes]) -> KeyMaterial:
    """A password for one fetch or one bundle: 160 bits, 32 characters ``A-Z2-7``.

    Args:
        token_bytes: source of randomness, like ``secrets.token_bytes``.
    """
    return KeyMaterial(base64.b32encode(token_bytes(PASSWORD_BYTES)))


def package(
    identity: Identity, profile: Profile, password: KeyMaterial, token_bytes: Callable[[int], bytes]
) -> Packaged:
    """Put one key and its certificate into a PKCS#12.

    The library writes it, unless its parser refuses the certificate: then :mod:`.compose` does, in
    the same form, with the certificate as it is.

    Args:
        identity: the opened generation.
        profile: how it is protected.
        password: from :func:`new_password`, for this bundle only.
        token_bytes: source of randomness for salts.
    """
    try:
        certificate = x509.load_der_x509_certificate(identity.certificate)
        certificate.public_key()
    except Exception:  # noqa: BLE001 - of an old certificate anything may be refused, in any way
        parts = Parts(FRIENDLY_NAME, identity.key, identity.certificate)
        composed = compose(parts, _SCHEMES[profile], bytes(password.reveal()), token_bytes)
        return Packaged(KeyMaterial(composed), password)
    protection = _protection(profile, password)
    return Packaged(
        KeyMaterial(
            serialize_key_and_certificates(
                FRIENDLY_NAME, identity.key, certificate, None, protection
            )
        ),
        password,
    )


def _protection(profile: Profile, password: KeyMaterial) -> KeySerializationEncryption:
    scheme, digest = _ALGORITHMS[profile]
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS)
    return builder.key_cert_algorithm(scheme).hmac_hash(digest).build(bytes(password.reveal()))


_ALGORITHMS: dict[Profile, tuple[PBES, hashes.HashAlgorithm]] = {
    Profile.MODERN: (PBES.PBESv2SHA256AndAES256CBC, hashes.SHA256()),
    Profile.COMPAT: (PBES.PBESv1SHA1And3KeyTripleDESCBC, hashes.SHA1()),  # noqa: S303 - the profile
}

_SCHEMES: dict[Profile, Scheme] = {Profile.MODERN: MODERN, Profile.COMPAT: COMPAT}
