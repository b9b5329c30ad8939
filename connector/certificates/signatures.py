"""Whether an issuer's key made a certificate's signature, with the digests of its time.

The library's own check refuses SHA-1 and MD5 altogether. Public and company CAs signed with SHA-1
until about 2016, and old mail stays readable only with the keys that were certified then
(RFC 8551 appendix B).
"""

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache, partial

from asn1crypto.algos import RSASSAPSSParams, SignedDigestAlgorithm
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

from connector.certificates.reading import Certificate

_DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


PSS = bytes.fromhex("06092a864886f70d01010a")
"""The identifier of RSASSA-PSS, as it begins an algorithm."""


class Signature(StrEnum):
    """What a check of a signature showed."""

    RIGHT = "right"
    WRONG = "wrong"
    BROKEN = "made with MD5 or MD2"
    UNKNOWN = "made in a way that is not supported"


def digest_of(certificate: Certificate) -> str:
    """The digest that a certificate was signed with, as ``sha256``; empty when it has none."""
    return _digest(certificate.algorithm)


@lru_cache(maxsize=256)
def _digest(algorithm: bytes) -> str:
    try:
        return str(SignedDigestAlgorithm.load(algorithm).hash_algo)
    except Exception:  # noqa: BLE001 - of a foreign certificate; EdDSA and unknown ones have none
        return ""


def signature_of(certificate: Certificate, issuer: Certificate) -> Signature:
    """Check that ``issuer`` signed ``certificate``. MD5 and MD2 are not computed at all."""
    digest = digest_of(certificate)
    if digest in {"md2", "md5"}:
        return Signature.BROKEN
    check = _check(certificate, issuer, _DIGESTS.get(digest))
    if check is None:
        return Signature.UNKNOWN
    try:
        check()
    except InvalidSignature:
        return Signature.WRONG
    except Exception:  # noqa: BLE001 - a foreign key may be refused in any way
        return Signature.UNKNOWN
    return Signature.RIGHT


def _check(
    certificate: Certificate, issuer: Certificate, digest: type[hashes.HashAlgorithm] | None
) -> Callable[[], None] | None:
    """The check of the issuer's kind of key; None when there is none for this signature."""
    signature, signed = certificate.signature, certificate.signed
    match issuer.key.loaded:
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey() as edwards:
            return partial(edwards.verify, signature, signed)
        case rsa.RSAPublicKey() as key if digest:
            scheme = _rsa_padding(certificate, digest())
            return partial(key.verify, signature, signed, scheme, digest())
        case ec.EllipticCurvePublicKey() as curve if digest:
            return partial(curve.verify, signature, signed, ec.ECDSA(digest()))
        case dsa.DSAPublicKey() as old if digest:
            return partial(old.verify, signature, signed, digest())
        case _:
            return None


def _rsa_padding(
    certificate: Certificate, digest: hashes.HashAlgorithm
) -> padding.AsymmetricPadding:
    if not certificate.algorithm.startswith(PSS, 2):
        return padding.PKCS1v15()
    algorithm = SignedDigestAlgorithm.load(certificate.algorithm)
    parameters: RSASSAPSSParams = algorithm["parameters"]
    mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
    salt = parameters["salt_length"].native
    return padding.PSS(padding.MGF1(_DIGESTS.get(mask, type(digest))()), salt)
