"""Backups that only the holder of a private key can read: CMS AuthEnvelopedData (RFC 5083).

AES-256-GCM under a fresh key, which is encrypted to an RSA key with OAEP (SHA-256). All lengths are
known beforehand, so the file is written and read in pieces, and ``openssl cms -decrypt`` opens it.
"""

import os
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from connector.core.errors import Permanent
from connector.mounted import read_mounted

PIECE: Final = 1024 * 1024
LARGEST: Final = (1 << 36) - 32
"""Bytes that AES-GCM may encrypt under one key and nonce (NIST SP 800-38D, section 5.2.1.1)."""
SHORTEST: Final = 2048
"""Bits of an RSA key that a backup is encrypted to."""
MOST: Final = 64 * 1024
"""Bytes of any other element than the content."""
KEY_BYTES, NONCE, TAG = 32, 12, 16
INTEGER, OCTETS, IDENTIFIER, SEQUENCE, SET, INSIDE, IMPLICIT = 2, 4, 6, 0x30, 0x31, 0xA0, 0x80

AUTH_ENVELOPED = bytes.fromhex("060b2a864886f70d0109100117")
DATA = bytes.fromhex("06092a864886f70d010701")
AES256_GCM = bytes.fromhex("060960864801650304012e")
_SHA256 = "300d06096086480165030402010500"
RSA_OAEP = bytes.fromhex(
    f"303c06092a864886f70d010107302fa00f{_SHA256}a11c301a06092a864886f70d010108{_SHA256}"
)
"""With SHA-256 in both places, written out because the default is SHA-1."""
_OAEP = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)


def public_key(file: Path) -> RSAPublicKey:
    """The RSA key in a PEM file, which may be a certificate.

    Raises:
        Permanent: ``CFG-003`` when it is none, or shorter than 2048 bits.
    """
    data = read_mounted(file)
    try:
        if b"BEGIN CERTIFICATE" in data:
            found: object = x509.load_pem_x509_certificate(data).public_key()
        else:
            found = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise Permanent("CFG-003", f"reading {file}: no public key or certificate (PEM)") from None
    if not isinstance(found, RSAPublicKey) or found.key_size < SHORTEST:
        raise Permanent("CFG-003", f"reading {file}: needs an RSA key of {SHORTEST} bits or more")
    return found


def private_key(file: Path) -> RSAPrivateKey:
    """The RSA key in a PEM file without a passphrase.

    Raises:
        Permanent: ``CFG-003`` when it is none.
    """
    try:
        found = load_pem_private_key(read_mounted(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        text = "no private key (PEM) without a passphrase"
        raise Permanent("CFG-003", f"reading {file}: {text}") from None
    if not isinstance(found, RSAPrivateKey):
        raise Permanent("CFG-003", f"reading {file}: no RSA key")
    return found


def is_sealed(file: Path) -> bool:
    """Whether it begins as an encrypted backup does. A database begins with other bytes.

    Raises:
        Permanent: ``CFG-003`` when it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(1) == bytes([SEQUENCE])
    except OSError as error:
        raise Permanent("CFG-003", f"reading {file}: {error.strerror}") from error


def seal(plain: Path, sealed: Path, key: RSAPublicKey) -> None:
    """Encrypt a file into another one, which exists.

    Raises:
        Permanent: ``CFG-007`` when it is larger than one key may encrypt.
        OSError: when a file cannot be read or written.
    """
    secret, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE)
    encryptor = Cipher(AES256(secret), GCM(nonce)).encryptor()
    with plain.open("rb") as source, sealed.open("wb") as target:
        size = os.fstat(source.fileno()).st_size
        if size > LARGEST:
            raise Permanent("CFG-007", f"writing {sealed}: more than 64 GiB cannot be encrypted")
        recipient = _recipient(key, key.encrypt(secret, _OAEP))
        target.write(_before(size, recipient, nonce))
        left = size
        while left:
            piece = source.read(min(PIECE, left))
            if not piece:
                raise OSError(None, "the copy became shorter")
            left -= len(piece)
            target.write(encryptor.update(piece))
        encryptor.finalize()
        target.write(_element(OCTETS, encryptor.tag))


def unseal(sealed: Path, plain: Path, key: RSAPrivateKey) -> None:
    """Decrypt a file into another one, which must not be used when this raises.

    Raises:
        Permanent: ``JRN-018`` when it is no whole encrypted backup for this key.
        OSError: when a file cannot be read or written.
    """
    with sealed.open("rb") as source, plain.open("wb") as target:
        try:
            _decrypt(source, target, key)
        except (ValueError, InvalidTag):
            text = "it is not made for this key, or was changed or cut off"
            raise Permanent("JRN-018", f"opening {sealed}: {text}") from None


def _decrypt(source: BinaryIO, target: BinaryIO, key: RSAPrivateKey) -> None:
    _head(source, SEQUENCE)
    source.read(len(AUTH_ENVELOPED))
    _head(source, INSIDE)
    _head(source, SEQUENCE)
    _content(source, INTEGER)
    encrypted = _content(source, SET)[-key.key_size // 8 :]
    _head(source, SEQUENCE)
    source.read(len(DATA))
    nonce = _content(source, SEQUENCE)[-NONCE - 3 : -3]
    _require(len(nonce) == NONCE)
    left = _head(source, IMPLICIT)
    header = _before(left, _recipient(key.public_key(), encrypted), nonce)
    source.seek(0)
    _require(source.read(len(header)) == header)  # everything else in it is as it is written here
    decryptor = Cipher(AES256(key.decrypt(encrypted, _OAEP)), GCM(nonce)).decryptor()
    while left:
        piece = source.read(min(PIECE, left))
        _require(bool(piece))
        left -= len(piece)
        target.write(decryptor.update(piece))
    decryptor.finalize_with_tag(_content(source, OCTETS))
    _require(not source.read(1))


def _before(size: int, recipient: bytes, nonce: bytes) -> bytes:
    """Everything in front of the content, of which only the size is known."""
    algorithm = _gcm(nonce)
    content = len(_length(size)) + 1 + size
    info = len(DATA) + len(algorithm) + content
    enveloped = _element(INTEGER, b"\0") + _element(SET, recipient)
    inner = len(enveloped) + 1 + len(_length(info)) + info + 2 + TAG
    explicit = 1 + len(_length(inner)) + inner
    outer = len(AUTH_ENVELOPED) + 1 + len(_length(explicit)) + explicit
    return b"".join(
        (
            *(bytes([SEQUENCE]), _length(outer), AUTH_ENVELOPED),
            *(bytes([INSIDE]), _length(explicit), bytes([SEQUENCE]), _length(inner), enveloped),
            *(bytes([SEQUENCE]), _length(info), DATA, algorithm),
            *(bytes([IMPLICIT]), _length(size)),
        )
    )


def _recipient(key: RSAPublicKey, encrypted: bytes) -> bytes:
    """One KeyTransRecipientInfo, which names the key by its identifier."""
    name = _element(IMPLICIT, x509.SubjectKeyIdentifier.from_public_key(key).digest)
    parts = (_element(INTEGER, b"\2"), name, RSA_OAEP, _element(OCTETS, encrypted))
    return _element(SEQUENCE, b"".join(parts))


def _gcm(nonce: bytes) -> bytes:
    parameters = _element(OCTETS, nonce) + _element(INTEGER, bytes([TAG]))
    return _element(SEQUENCE, AES256_GCM + _element(SEQUENCE, parameters))


def _element(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < IMPLICIT:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([IMPLICIT | len(digits)]) + digits


def _head(source: BinaryIO, tag: int) -> int:
    """Read tag and length of an element of this tag."""
    first = source.read(2)
    _require(len(first) == len(b"tl") and first[0] == tag)
    if first[1] < IMPLICIT:
        return first[1]
    count = first[1] & ~IMPLICIT
    digits = source.read(count)
    _require(0 < count == len(digits))
    return int.from_bytes(digits, "big")


def _content(source: BinaryIO, tag: int) -> bytes:
    size = _head(source, tag)
    _require(size <= MOST)
    content = source.read(size)
    _require(len(content) == size)
    return content


def _require(holds: bool) -> None:  # noqa: FBT001 - the only argument
    if not holds:
        raise ValueError("no whole encrypted backup")
