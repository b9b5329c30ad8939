"""Certificates as they were issued over thirty years, written by hand.

Each shape differs from an ordinary certificate in one place. Most are against a rule of RFC 5280 or
DER, all of them exist, and no CA can change one that was issued.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Shape(StrEnum):
    """Ways in which an issued certificate differs from an ordinary one."""

    CRITICAL_FALSE = "critical_false"
    """``critical FALSE`` is written out although it is the default."""
    NO_SECONDS = "no_seconds"
    """UTCTime without seconds."""
    FRACTION = "fraction"
    """GeneralizedTime with fractions of seconds."""
    LATIN1_ADDRESS = "latin1_address"
    """An rfc822Name with a character outside ASCII, before the proper one."""
    X400_NAME = "x400_name"
    """An X.400 address beside the mail address."""
    EDI_NAME = "edi_name"
    """An EDI party name beside the mail address."""
    TELETEX_NAME = "teletex_name"
    """TeletexString with Latin-1 in the subject."""
    BMP_NAME = "bmp_name"
    """BMPString in the subject."""
    DATA_ENCIPHERMENT = "data_encipherment"
    """A key usage for encrypting data, not keys."""
    SUBJECT_ADDRESS = "subject_address"
    """The address is in the subject only."""
    UTF8_MAILBOX = "utf8_mailbox"
    """The address is an SmtpUTF8Mailbox (RFC 9598)."""
    TWICE_AN_EXTENSION = "twice_an_extension"
    """The key usage comes twice."""
    VERSION_1 = "version_1"
    """No version, no extensions."""
    NEGATIVE_SERIAL = "negative_serial"
    """A serial number below zero."""
    LONG_SERIAL = "long_serial"
    """A serial number of 40 octets."""
    UNKNOWN_CRITICAL = "unknown_critical"
    """A critical extension that no program knows."""
    SHA1 = "sha1"
    """Signed with SHA-1."""
    MD5 = "md5"
    """Signed with MD5; the signature is not computed."""
    WRONG_SIGNATURE = "wrong_signature"
    """The signature is of another key."""
    OAEP_KEY = "oaep_key"
    """The key is declared for OAEP only (RFC 4055)."""
    UNREADABLE_DATES = "unreadable_dates"
    """The dates are no times."""
    UNREADABLE_NAMES = "unreadable_names"
    """The alternative names are no names."""
    UNREADABLE_USAGE = "unreadable_usage"
    """The key usage is no bit string."""
    GARBAGE = "garbage"
    """No certificate at all."""


Sign = Callable[[bytes, str], bytes]
"""Signs octets with a digest, ``sha256`` or ``sha1``; DER ECDSA."""

_SIGNED_WITH = {
    "sha256": bytes.fromhex("300a06082a8648ce3d040302"),
    "sha1": bytes.fromhex("300906072a8648ce3d0401"),
    "md5": bytes.fromhex("300d06092a864886f70d0101040500"),
}
_OAEP = bytes.fromhex("06092a864886f70d010107")
_RSA = bytes.fromhex("06092a864886f70d010101")
_BITS = {"signing": 0x80, "encryption": 0x28, "both": 0xA8}


@dataclass(frozen=True)
class Draft:
    """What a certificate says before a shape changes it. ``key`` is a SubjectPublicKeyInfo."""

    key: bytes
    issuer: bytes
    common_name: str
    addresses: tuple[str, ...]
    usage: str
    not_before: datetime
    not_after: datetime
    serial: bytes = b"\x01"
    is_authority: bool = False
    extensions: tuple[bytes, ...] = field(default=())


def shaped(draft: Draft, shape: Shape | None, sign: Sign) -> bytes:
    """The certificate of a draft, DER, in a shape (None: an ordinary one)."""
    if shape is Shape.GARBAGE:
        return tlv(0x30, draft.key[::-1])
    digest = {Shape.SHA1: "sha1", Shape.MD5: "md5"}.get(shape, "sha256") if shape else "sha256"
    algorithm = _SIGNED_WITH[digest]
    body = tlv(
        0x30,
        b"" if shape is Shape.VERSION_1 else tlv(0xA0, tlv(0x02, b"\x02")),
        tlv(0x02, _serial(draft, shape)),
        algorithm,
        draft.issuer,
        tlv(0x30, *(_time(moment, shape) for moment in (draft.not_before, draft.not_after))),
        _subject(draft, shape),
        draft.key.replace(_RSA, _OAEP) if shape is Shape.OAEP_KEY else draft.key,
        b"" if shape is Shape.VERSION_1 else tlv(0xA3, tlv(0x30, *_extensions(draft, shape))),
    )
    signed = body + b"!" if shape is Shape.WRONG_SIGNATURE else body
    signature = b"\x00" * 128 if digest == "md5" else sign(signed, digest)
    return tlv(0x30, body, algorithm, tlv(0x03, b"\0", signature))


def tlv(tag: int, *contents: bytes) -> bytes:
    """One element of DER."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 - X.690 section 8.1.3
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def name(*attributes: tuple[str, int, bytes]) -> bytes:
    """A distinguished name of identifier (hexadecimal), tag and octets of each value."""
    return tlv(
        0x30, *(tlv(0x31, tlv(0x30, _oid(oid), tlv(tag, value))) for oid, tag, value in attributes)
    )


def _oid(identifier: str) -> bytes:
    return tlv(0x06, bytes.fromhex(identifier))


def _serial(draft: Draft, shape: Shape | None) -> bytes:
    match shape:
        case Shape.NEGATIVE_SERIAL:
            return b"\xff" + draft.serial
        case Shape.LONG_SERIAL:
            return b"\x7f" * 40
        case _:
            return draft.serial


def _time(moment: datetime, shape: Shape | None) -> bytes:
    match shape:
        case Shape.NO_SECONDS:
            return tlv(0x17, f"{moment:%y%m%d%H%MZ}".encode())
        case Shape.FRACTION:
            return tlv(0x18, f"{moment:%Y%m%d%H%M%S.357Z}".encode())
        case Shape.UNREADABLE_DATES:
            return tlv(0x17, b"some day")
        case _:
            return tlv(0x18, f"{moment:%Y%m%d%H%M%SZ}".encode())


def _subject(draft: Draft, shape: Shape | None) -> bytes:
    common = ("550403", 0x0C, draft.common_name.encode())
    match shape:
        case Shape.TELETEX_NAME:
            return name(("55040a", 0x14, "Möbel AG".encode("latin-1")), common)
        case Shape.BMP_NAME:
            return name(("55040a", 0x1E, "Möbel AG".encode("utf-16-be")), common)
        case Shape.SUBJECT_ADDRESS | Shape.VERSION_1:
            mails = (("2a864886f70d010901", 0x16, one.encode()) for one in draft.addresses)
            return name(common, *mails)
        case _:
            return name(common)


def _extensions(draft: Draft, shape: Shape | None) -> Iterable[bytes]:
    usage = tlv(0x03, b"\0", bytes([_usage(draft, shape)]))
    if shape is Shape.UNREADABLE_USAGE:
        usage = tlv(0x04, b"\0")
    if draft.is_authority:
        yield _extension("551d13", tlv(0x30, tlv(0x01, b"\xff")), shape)
        usage = tlv(0x03, b"\x01", b"\x06")
    yield _extension("551d0f", usage, shape)
    if shape is Shape.TWICE_AN_EXTENSION:
        yield _extension("551d0f", usage, shape)
    if shape is Shape.UNKNOWN_CRITICAL:
        yield tlv(0x30, _oid("2b06010401868d1f01"), tlv(0x01, b"\xff"), tlv(0x04, b"?"))
    names = b"".join(_alternative_names(draft.addresses, shape))
    if names:
        content = b"\xff\xff" if shape is Shape.UNREADABLE_NAMES else tlv(0x30, names)
        yield _extension("551d11", content, shape)


def _usage(draft: Draft, shape: Shape | None) -> int:
    return 0x90 if shape is Shape.DATA_ENCIPHERMENT else _BITS[draft.usage]


def _extension(oid: str, content: bytes, shape: Shape | None) -> bytes:
    critical = tlv(0x01, b"\0") if shape is Shape.CRITICAL_FALSE else b""
    return tlv(0x30, _oid(oid), critical, tlv(0x04, content))


def _alternative_names(addresses: tuple[str, ...], shape: Shape | None) -> Iterable[bytes]:
    match shape:
        case Shape.SUBJECT_ADDRESS:
            return
        case Shape.LATIN1_ADDRESS:
            yield tlv(0x81, "jörg@example.com".encode("latin-1"))
        case Shape.X400_NAME:
            yield tlv(0xA3, tlv(0x30, tlv(0x61, tlv(0x13, b"DE"))))
        case Shape.EDI_NAME:
            yield tlv(0xA5, tlv(0xA1, tlv(0x0C, b"party")))
        case Shape.UTF8_MAILBOX:
            for one in addresses:
                yield tlv(0xA0, _oid("2b06010505070809"), tlv(0xA0, tlv(0x0C, one.encode())))
            return
        case _:
            pass
    yield from (tlv(0x81, one.encode()) for one in addresses)
