"""Distinguished names and the addresses in them, in the string types that certificates have had."""

import re
from collections.abc import Iterator

from connector.certificates.der import CONTEXT, SEQUENCE, SET, Element, identifier, only

EMAIL_ADDRESS = "1.2.840.113549.1.9.1"
SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"
OTHER_NAME, RFC822_NAME = 0, 1

_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
"""Attribute types that RFC 4514 section 3 gives a name; others are written as numbers."""

_ENCODINGS = {12: "utf-8", 18: "ascii", 19: "ascii", 22: "ascii", 26: "ascii", 28: "utf-32-be"}
_ENCODINGS[30] = "utf-16-be"
_TELETEX = 20
_TEXTS = {*_ENCODINGS, _TELETEX}


def attributes(name: Element) -> list[list[tuple[str, Element]]]:
    """The attributes of a distinguished name by relative names, type and value, first one first.

    Raises:
        ValueError: when it is no distinguished name.
    """
    relative = [one.be(SET).inside() for one in name.be(SEQUENCE).inside()]
    return [[_attribute(one) for one in parts] for parts in relative]


def _attribute(element: Element) -> tuple[str, Element]:
    kind, value = element.be(SEQUENCE).inside()
    return identifier(kind), value


def written(name: Element) -> str:
    """A distinguished name as RFC 4514 writes it, last relative name first.

    Raises:
        ValueError: when it is no distinguished name.
    """
    relative = ("+".join(map(_written, parts)) for parts in attributes(name))
    return ",".join(reversed(list(relative)))


def _written(attribute: tuple[str, Element]) -> str:
    kind, value = attribute
    shown = _escaped(text(value)) if value.tag in _TEXTS else f"#{value.whole.hex()}"
    return f"{_SHORT.get(kind, kind)}={shown}"


def _escaped(value: str) -> str:
    """RFC 4514 section 2.4."""
    safe = re.sub(r'([\\"+,;<>])', r"\\\1", value).replace("\0", "\\00")
    if safe.startswith(("#", " ")):
        safe = "\\" + safe
    return f"{safe[:-1]}\\ " if safe.endswith(" ") and safe != "\\ " else safe


def text(value: Element) -> str:
    """A string of any of the types, also where its octets are not what the type allows.

    TeletexString has held Latin-1 in practice, and so have strings that should be ASCII or UTF-8.
    """
    encoding = _ENCODINGS.get(value.tag, "latin-1") if value.kind != CONTEXT else "utf-8"
    try:
        return value.content.decode(encoding)
    except UnicodeDecodeError:
        return value.content.decode("latin-1")


def mail_attributes(subject: Element) -> Iterator[str]:
    """The addresses that a subject holds (RFC 8550 section 3)."""
    for parts in attributes(subject):
        yield from (text(value) for kind, value in parts if kind == EMAIL_ADDRESS)


def alternative_addresses(extension: bytes) -> Iterator[str]:
    """The addresses in a subjectAltName: rfc822Name and SmtpUTF8Mailbox (RFC 9598).

    Names of other kinds (X.400, EDI, directory, …) are passed over unread.
    """
    for name in only(extension).inside():
        if name.tagged(RFC822_NAME):
            yield text(name)
        elif name.tagged(OTHER_NAME):
            yield from _mailboxes(name)


def _mailboxes(name: Element) -> Iterator[str]:
    kind, *values = name.inside()
    if identifier(kind) == SMTP_UTF8_MAILBOX:
        yield from (text(one) for value in values for one in value.inside())
