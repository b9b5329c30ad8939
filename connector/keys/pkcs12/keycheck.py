"""Whether a private key's numbers may be given to the full check.

The full check tests the primes, and its time grows with the cube of their size, so a hostile key
could make it take very long. Sizes and plain arithmetic are checked first: that takes microseconds.
Minimum sizes follow design promise 4: archived generations may have RSA keys of 1024 bits.
"""

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connector.certificates.keys import (
    CURVES,
    EXPONENT_LIMIT,
    EXPONENT_MINIMUM,
    MODULUS_LIMIT,
)
from connector.core.errors import Permanent
from connector.core.selection import MINIMUM_ARCHIVED_RSA, MINIMUM_CURRENT_RSA

PRIME_IMBALANCE_LIMIT = 64
"""Bits by which the two primes may differ in size; generators make them equal or nearly so."""

SupportedKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def check_numbers(key: object, *, archived: bool) -> SupportedKey:
    """Accept an unchecked key whose sizes are bounded and whose numbers fit one another.

    Args:
        key: what the loader made of the bytes, without having checked it.
        archived: whether it is for an archived slot, where RSA-1024 is allowed.

    Raises:
        Permanent: ``KEY-204`` too large or lopsided, ``KEY-207`` too small, ``KEY-208`` numbers
            that do not belong together, ``KEY-203`` a kind or curve that is not supported.
    """
    if isinstance(key, rsa.RSAPrivateKey):
        _check_rsa(key, MINIMUM_ARCHIVED_RSA if archived else MINIMUM_CURRENT_RSA)
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return key
    raise Permanent("KEY-203", "checking key: not RSA and not on a supported curve")


def _check_rsa(key: rsa.RSAPrivateKey, minimum: int) -> None:
    if key.key_size > MODULUS_LIMIT:
        raise Permanent("KEY-204", f"checking key: RSA modulus above {MODULUS_LIMIT} bits")
    if key.key_size < minimum:
        raise Permanent("KEY-207", f"checking key: RSA modulus below {minimum} bits")
    numbers = key.private_numbers()
    exponent = numbers.public_numbers.e
    if not EXPONENT_MINIMUM <= exponent <= EXPONENT_LIMIT or exponent % 2 == 0:
        raise Permanent("KEY-204", "checking key: public exponent out of range")
    imbalance = abs(numbers.p.bit_length() - numbers.q.bit_length())
    if imbalance > PRIME_IMBALANCE_LIMIT:
        raise Permanent("KEY-204", "checking key: factors of very different size")
    if numbers.p * numbers.q != numbers.public_numbers.n:
        raise Permanent("KEY-208", "checking key: factors do not make up the modulus")
    if not 0 < numbers.d < numbers.public_numbers.n:
        raise Permanent("KEY-208", "checking key: private exponent out of range")
