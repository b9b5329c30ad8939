"""Reading a certificate: what the connector needs of it, and each part as tolerantly as it can be.

The library's own parser accepts what RFC 5280 asks of a certificate of today. It refuses many that
were issued and used, and with some it raises exceptions of kinds that its documentation does not
name. Here a part that is not needed (a name, an extension) is passed over when it cannot be read,
and any error in a needed one becomes :class:`Unreadable`: one certificate's trouble.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from connector.certificates.der import (
    BIT_STRING,
    BOOLEAN,
    OCTET_STRING,
    SEQUENCE,
    UNIVERSAL,
    Element,
    bits,
    elements,
    identifier,
    integer,
)
from connector.certificates.keys import PublicKey, public_key
from connector.certificates.names import alternative_addresses, mail_attributes, written
from connector.certificates.times import moment
from connector.core.addresses import canonical_address
from connector.core.model import Sha256Hex

KEY_USAGE, ALTERNATIVE_NAME, BASIC_CONSTRAINTS = "2.5.29.15", "2.5.29.17", "2.5.29.19"
SUBJECT_KEY, AUTHORITY_KEY = "2.5.29.14", "2.5.29.35"
VERSION, EXTENSIONS = 0, 3
KEPT = 1024
"""Certificates kept read: the same issuers come with every generation of every person."""

USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
)
"""The bits of the key usage (RFC 5280 section 4.2.1.3) that decide anything here."""


class Unreadable(ValueError):
    """A certificate of which a needed part cannot be read; the text names the part."""


@dataclass(frozen=True)
class Certificate:
    """The parts of a certificate. ``usages`` is None when it has no key usage extension.

    ``addresses`` are in canonical form. ``subject`` and ``issuer`` are RFC 4514 strings, empty when
    they cannot be read. ``signed`` is what the issuer signed, ``algorithm`` and ``signature`` how.
    """

    der: bytes
    version: int
    serial: int
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    key: PublicKey
    addresses: tuple[str, ...]
    usages: frozenset[str] | None
    is_authority: bool
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    signed: bytes
    algorithm: bytes
    signature: bytes

    @cached_property
    def fingerprint(self) -> Sha256Hex:
        """SHA-256 of the DER certificate: the name of a generation."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def public_key(self) -> Sha256Hex:
        """SHA-256 of the SubjectPublicKeyInfo."""
        return hashlib.sha256(self.key.information).hexdigest()


@lru_cache(maxsize=KEPT)
def read(der: bytes) -> Certificate:
    """Read a certificate.

    Raises:
        Unreadable: when a part that is needed cannot be read, and nothing else.
    """
    try:
        return _Parts(der).certificate()
    except Unreadable:
        raise
    except Exception:  # noqa: BLE001 - an error of any kind concerns this certificate only
        raise Unreadable("its structure") from None


class _Parts:
    """A certificate taken apart into its elements."""

    def __init__(self, der: bytes) -> None:
        (whole,) = elements(der)
        self.der = der
        self.signed, self.algorithm, signature = whole.be(SEQUENCE).inside()
        self.signature = bits(signature)
        fields = self.signed.be(SEQUENCE).inside()
        self.version = 1
        if fields[0].tagged(VERSION):
            self.version = integer(fields.pop(0).inside()[0]) + 1
        self.serial, _, self.issuer, self.validity, self.subject, self.key = fields[:6]
        self.extensions = dict(_extensions(fields[6:]))

    def certificate(self) -> Certificate:
        not_before, not_after = self._validity()
        return Certificate(
            der=self.der,
            version=self.version,
            serial=integer(self.serial),
            subject=_name(self.subject),
            issuer=_name(self.issuer),
            not_before=not_before,
            not_after=not_after,
            key=public_key(self.key.be(SEQUENCE).whole),
            addresses=self._addresses(),
            usages=self._usages(),
            is_authority=self._is_authority(),
            subject_key_id=self._subject_key_id(),
            authority_key_id=self._authority_key_id(),
            signed=self.signed.whole,
            algorithm=self.algorithm.whole,
            signature=self.signature,
        )

    def _validity(self) -> tuple[datetime, datetime]:
        try:
            first, last = self.validity.be(SEQUENCE).inside()
            return moment(first), moment(last)
        except Exception:  # noqa: BLE001 - see read()
            raise Unreadable("its dates") from None

    def _addresses(self) -> tuple[str, ...]:
        """All of them: one that cannot be read must not make the certificate one without any."""
        try:
            found = [*mail_attributes(self.subject)]
            if ALTERNATIVE_NAME in self.extensions:
                found += alternative_addresses(self.extensions[ALTERNATIVE_NAME])
            return tuple(dict.fromkeys(map(canonical_address, found)))
        except Exception:  # noqa: BLE001 - see read()
            raise Unreadable("its addresses") from None

    def _usages(self) -> frozenset[str] | None:
        if KEY_USAGE not in self.extensions:
            return None
        try:
            (element,) = elements(self.extensions[KEY_USAGE])
            first = (bits(element.be(BIT_STRING)) or b"\0")[0]
        except Exception:  # noqa: BLE001 - see read()
            raise Unreadable("its key usage") from None
        return frozenset(name for bit, name in enumerate(USAGES) if first & 0x80 >> bit)

    def _is_authority(self) -> bool:
        inside = _sequence(self.extensions.get(BASIC_CONSTRAINTS))
        return bool(inside) and inside[0].tagged(BOOLEAN, UNIVERSAL) and any(inside[0].content)

    def _subject_key_id(self) -> bytes | None:
        try:
            (element,) = elements(self.extensions[SUBJECT_KEY])
            return element.be(OCTET_STRING).content
        except (KeyError, ValueError):
            return None

    def _authority_key_id(self) -> bytes | None:
        inside = _sequence(self.extensions.get(AUTHORITY_KEY))
        return next((one.content for one in inside if one.tagged(0)), None)


def _extensions(fields: list[Element]) -> Iterator[tuple[str, bytes]]:
    """Extensions by identifier; of one that comes twice, the first.

    Raises:
        Unreadable: when they are no list of extensions.
    """
    try:
        for holder in fields:
            if holder.tagged(EXTENSIONS):
                (listed,) = holder.inside()
                for extension in reversed(listed.be(SEQUENCE).inside()):
                    kind, *_, value = extension.be(SEQUENCE).inside()
                    yield identifier(kind), value.be(OCTET_STRING).content
    except Exception:  # noqa: BLE001 - see read()
        raise Unreadable("its extensions") from None


def _name(element: Element) -> str:
    try:
        return written(element)
    except Exception:  # noqa: BLE001 - see read(); a name is shown, and decides nothing
        return ""


def _sequence(extension: bytes | None) -> list[Element]:
    """The elements of an extension that is a sequence; none when it cannot be read."""
    try:
        (element,) = elements(extension or b"")
        return element.be(SEQUENCE).inside()
    except ValueError:
        return []
