"""Public keys: of which kind and size, and whether a hand-over can handle one of that kind.

The same limits hold for the private key once it is fetched (``connector/keys/pkcs12/keycheck.py``);
what the certificate shows already need not be fetched to be found out.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from connector.core.model import Objection

MODULUS_LIMIT = 8192
EXPONENT_MINIMUM = 3
EXPONENT_LIMIT = 1 << 32

CURVES = {
    "secp256r1",
    "secp384r1",
    "secp521r1",
    "brainpoolP256r1",
    "brainpoolP384r1",
    "brainpoolP512r1",
}
"""Curves that S/MIME clients know (RFC 8551 section 4; BSI TR-03116-4 for the Brainpool ones)."""


class PublicKey(NamedTuple):
    """A public key. ``loaded`` is None for a kind that the library does not know.

    ``information`` is the DER SubjectPublicKeyInfo in the library's spelling of it, or, for an
    unknown kind, as the certificate has it.
    """

    loaded: PublicKeyTypes | None
    information: bytes

    @property
    def kind(self) -> str:
        """``rsa``, ``ec`` (a curve that S/MIME clients know) or ``other``."""
        match self.loaded:
            case rsa.RSAPublicKey():
                return "rsa"
            case ec.EllipticCurvePublicKey() if self.loaded.curve.name in CURVES:
                return "ec"
            case _:
                return "other"

    @property
    def size(self) -> int:
        """Bits of modulus or curve; 0 for other kinds."""
        match self.loaded:
            case rsa.RSAPublicKey() | ec.EllipticCurvePublicKey():
                return self.loaded.key_size
            case _:
                return 0

    def objection(self) -> Objection | None:
        """Why no private key of this public key can be handed over; None when it can."""
        if self.kind == "other":
            return Objection(
                code="KEY-203", why="its key is damaged, or neither RSA nor on a known curve"
            )
        if isinstance(self.loaded, rsa.RSAPublicKey):
            exponent = self.loaded.public_numbers().e
            if self.size > MODULUS_LIMIT or not EXPONENT_MINIMUM <= exponent <= EXPONENT_LIMIT:
                return Objection(code="KEY-204", why="its RSA key or its exponent is out of range")
        return None


def public_key(information: bytes) -> PublicKey:
    """The key of a SubjectPublicKeyInfo; one that the library refuses is of kind ``other``."""
    try:
        loaded = load_der_public_key(information)
        spelled = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception:  # noqa: BLE001 - of a foreign key anything may be refused, in any way
        return PublicKey(None, information)
    return PublicKey(loaded, spelled)
