"""Elements of BER or DER, without the restrictions that a newer parser puts on old certificates.

Nothing can be done about a certificate of 2004 any more. So what DER forbids but can be understood
(a default that is written out, a time without seconds) is read here; only what the structure itself
does not allow is refused.
"""

from functools import lru_cache
from typing import NamedTuple

from asn1crypto import parser

UNIVERSAL, CONTEXT = 0, 2
BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER = 1, 2, 3, 4, 6
SEQUENCE, SET = 16, 17
LONG_TAG, INDEFINITE = 0x1F, 0x80
ELEMENTS_LIMIT = 1024
"""Elements of one structure; an ordinary certificate has far below a hundred in each."""


class Element(NamedTuple):
    """One element. ``content`` is without tag and length, ``whole`` with both."""

    kind: int
    tag: int
    content: bytes
    whole: bytes

    def inside(self) -> list["Element"]:
        """The elements that its content is made of.

        Raises:
            ValueError: when it is no sequence of elements.
        """
        return elements(self.content)

    def be(self, tag: int, kind: int = UNIVERSAL) -> "Element":
        """The element itself, when it is of this tag.

        Raises:
            ValueError: when it is of another one.
        """
        if not self.tagged(tag, kind):
            raise ValueError("expecting another element")
        return self

    def tagged(self, tag: int, kind: int = CONTEXT) -> bool:
        """Whether it is of this tag, by default a context-specific one."""
        return (self.kind, self.tag) == (kind, tag)


def elements(content: bytes) -> list[Element]:
    """The elements that follow one another in ``content``.

    Raises:
        ValueError: when it is no sequence of elements.
    """
    found: list[Element] = []
    position = 0
    while position < len(content):
        element = _ordinary(content, position) or _unusual(content, position)
        found.append(element)
        if len(found) > ELEMENTS_LIMIT:
            raise ValueError("expecting fewer elements")
        position += len(element.whole)
    return found


def _ordinary(content: bytes, at: int) -> Element | None:
    """The element with one octet of tag and a definite length; the library takes ten times longer.

    Raises:
        ValueError: when it is cut off.
    """
    if len(content) < at + 2 or content[at] & LONG_TAG == LONG_TAG or content[at + 1] == INDEFINITE:
        return None
    start, size = at + 2, content[at + 1]
    if size > INDEFINITE:
        start += size - INDEFINITE
        size = int.from_bytes(content[at + 2 : start])
    if start + size > len(content):
        raise ValueError("expecting more octets")
    first, end = content[at], start + size
    return Element(first >> 6, first & LONG_TAG, content[start:end], content[at:end])


def _unusual(content: bytes, at: int) -> Element:
    kind, _, tag, header, inside, trailer = parser.parse(content[at:])
    size = len(header) + len(inside) + len(trailer)
    return Element(kind, tag, inside, content[at : at + size])


def only(content: bytes, tag: int = SEQUENCE) -> Element:
    """The one element that ``content`` is.

    Raises:
        ValueError: when it is not exactly one, or of another tag.
    """
    (element,) = elements(content)
    return element.be(tag)


def identifier(element: Element) -> str:
    """An OBJECT IDENTIFIER as numbers with dots.

    Raises:
        ValueError: when it is none, or damaged.
    """
    return _dotted(element.be(OBJECT_IDENTIFIER).content)


@lru_cache(maxsize=256)
def _dotted(content: bytes) -> str:
    if not content or content[-1] & 0x80:
        raise ValueError("expecting an object identifier")
    arcs, arc = [], 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def integer(element: Element) -> int:
    """An INTEGER.

    Raises:
        ValueError: when it is none.
    """
    return int.from_bytes(element.be(INTEGER).content, "big", signed=True)


def bits(element: Element) -> bytes:
    """The octets of a BIT STRING that is made of whole ones.

    Raises:
        ValueError: when it is none.
    """
    content = element.be(BIT_STRING).content
    if not content:
        raise ValueError("expecting a bit string")
    return content[1:]
