"""The password-based protection of PKCS#12: derivation, encryption and MAC.

The library opens and writes whole bundles only, and only with certificates that its own parser
accepts. With these parts a bundle is read and written around a certificate as it is.
"""

import hashlib
import hmac

from asn1crypto.algos import EncryptionAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2, TripleDES
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

KEY, VECTOR, MAC = 1, 2, 3
"""What bytes are derived for (RFC 7292 appendix B.3)."""

DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}

_SCHEMES: dict[str, tuple[type[RC2 | TripleDES], int]] = {
    "pkcs12_sha1_tripledes_3key": (TripleDES, 24),
    "pkcs12_sha1_tripledes_2key": (TripleDES, 16),
    "pkcs12_sha1_rc2_128": (RC2, 16),
}
_CIPHERS: dict[str, tuple[type[AES | TripleDES], int]] = {
    "aes128_cbc": (AES, 16),
    "aes192_cbc": (AES, 24),
    "aes256_cbc": (AES, 32),
    "tripledes_3key": (TripleDES, 24),
}
_DOUBLE = 16
"""Bytes of a key for triple DES that uses its first part twice."""


def derived(
    digest: str, password: bytes, salt: bytes, rounds: int, wanted: tuple[int, int]
) -> bytes:
    """Bytes derived from a password (RFC 7292 appendix B.2).

    Args:
        digest: as ``sha256``.
        password: ASCII, as ours are.
        salt: from the file.
        rounds: from the file.
        wanted: the purpose, and how many bytes.
    """
    purpose, size = wanted
    make = getattr(hashlib, digest)
    block = make().block_size
    text = password.decode("latin-1").encode("utf-16-be") + b"\0\0"
    state = _filled(salt, block) + _filled(text, block)
    found = b""
    while len(found) < size:
        made = bytes([purpose]) * block + state
        for _ in range(rounds):
            made = make(made).digest()
        found += made
        state = _added(state, _filled(made, block, whole=False), block)
    return found[:size]


def _filled(part: bytes, block: int, *, whole: bool = True) -> bytes:
    """A part repeated to fill whole blocks, at least one."""
    size = block * -(-len(part) // block) if whole else block
    return (part * -(-size // len(part)))[:size] if part else b""


def _added(state: bytes, number: bytes, block: int) -> bytes:
    """Every block of the state plus a number plus one."""
    addend, modulus = int.from_bytes(number) + 1, 1 << 8 * block
    pieces = (int.from_bytes(state[at : at + block]) for at in range(0, len(state), block))
    return b"".join(((piece + addend) % modulus).to_bytes(block) for piece in pieces)


def mac_of(content: bytes, digest: str, password: bytes, salt: bytes, rounds: int) -> bytes:
    """The MAC of a bundle's content."""
    size = hashlib.new(digest).digest_size
    return hmac.digest(derived(digest, password, salt, rounds, (MAC, size)), content, digest)


def decrypted(algorithm: EncryptionAlgorithm, password: bytes, content: bytes) -> bytes:
    """What was encrypted under a password, of the kinds in :func:`opens`.

    Raises:
        ValueError: when the password is not the one, or the content is damaged.
    """
    cipher = _cipher(algorithm, password)
    decryptor = cipher.decryptor()
    plain = decryptor.update(content) + decryptor.finalize()
    remover = padding.PKCS7(_bits(cipher)).unpadder()
    return remover.update(plain) + remover.finalize()


def encrypted(algorithm: EncryptionAlgorithm, password: bytes, content: bytes) -> bytes:
    """Content encrypted under a password."""
    cipher = _cipher(algorithm, password)
    padder, encryptor = padding.PKCS7(_bits(cipher)).padder(), cipher.encryptor()
    padded = padder.update(content) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()


def opens(algorithm: EncryptionAlgorithm) -> bool:
    """Whether this kind can be decrypted here: all accepted ones but RC2 with 40 bits."""
    return algorithm["algorithm"].native in {*_SCHEMES, "pbes2"}


def _cipher(algorithm: EncryptionAlgorithm, password: bytes) -> Cipher[modes.CBC]:
    scheme = algorithm["algorithm"].native
    if scheme == "pbes2":
        made, size = _CIPHERS[algorithm["parameters"]["encryption_scheme"]["algorithm"].native]
        derivation = PBKDF2HMAC(
            DIGESTS[algorithm.kdf_hmac](), size, algorithm.kdf_salt, algorithm.kdf_iterations
        )
        return Cipher(made(derivation.derive(password)), modes.CBC(algorithm.encryption_iv))
    old, size = _SCHEMES[scheme]
    parameters = algorithm["parameters"]
    salt, rounds = parameters["salt"].native, parameters["iterations"].native
    key = derived("sha1", password, salt, rounds, (KEY, size))
    if old is TripleDES and size == _DOUBLE:
        key += key[: size // 2]
    vector = derived("sha1", password, salt, rounds, (VECTOR, 8))
    return Cipher(old(key), modes.CBC(vector))


def _bits(cipher: Cipher[modes.CBC]) -> int:
    algorithm = cipher.algorithm
    return algorithm.block_size if isinstance(algorithm, BlockCipherAlgorithm) else 0
