"""RSA keys that are expensive to load unchecked: a huge modulus, a huge exponent.

Loading an RSA key with full checks tests its primes; with a 16,384-bit modulus that burns seconds
to minutes of CPU. Nothing here is prime: the numbers only have to be parsed. ``e * d = 1`` holds
modulo both ``p - 1`` and ``q - 1``, so cheap consistency checks pass.
"""

import math
from random import Random

from cryptography.hazmat.primitives.asymmetric import rsa

HUGE_MODULUS_BITS = 16384
HUGE_EXPONENT_BITS = 2000
USUAL_MODULUS_BITS = 2048
USUAL_EXPONENT = 65537


def huge_modulus(dice: Random) -> rsa.RSAPrivateKey:
    """A key with a modulus of 16,384 bits."""
    return _key(dice, HUGE_MODULUS_BITS, USUAL_EXPONENT)


def huge_exponent(dice: Random) -> rsa.RSAPrivateKey:
    """A key with a modulus of 2,048 bits and a public exponent of about 2,000."""
    exponent = dice.getrandbits(HUGE_EXPONENT_BITS) | 1 << (HUGE_EXPONENT_BITS - 1) | 1
    return _key(dice, USUAL_MODULUS_BITS, exponent)


def _key(dice: Random, bits: int, exponent: int) -> rsa.RSAPrivateKey:
    p, q = _factors(dice, bits)
    phi = (p - 1) * (q - 1)
    while math.gcd(exponent, phi) != 1:
        exponent += 2
    d = pow(exponent, -1, phi)
    public = rsa.RSAPublicNumbers(exponent, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p=p, q=q, d=d, dmp1=d % (p - 1), dmq1=d % (q - 1), iqmp=pow(q, -1, p), public_numbers=public
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _factors(dice: Random, bits: int) -> tuple[int, int]:
    """Two odd numbers without a common factor whose product has exactly ``bits`` bits."""
    top = 3 << (bits // 2 - 2)
    p, q = (dice.getrandbits(bits // 2) | top | 1 for _ in range(2))
    while math.gcd(p, q) != 1:
        q -= 2
    return max(p, q), min(p, q)
