"""Text from bytes, by the rules of their media type, with a short list of encodings.

XML (RFC 7303 section 3): a byte order mark, then the ``charset`` parameter, then the declaration.
JSON (RFC 8259 section 8.1) is UTF-8, also if ``charset`` differs; a byte order mark before it is
ignored. Some senders write it otherwise all the same: what is no UTF-8 is read by its byte order
mark, as UTF-16 where it looks like that, else by its ``charset``.
"""

import codecs
import re
from functools import lru_cache
from typing import Final, NamedTuple

from aiohttp.helpers import parse_mimetype

UTF_8, UTF_16_LE, UTF_16_BE, LATIN_1, WINDOWS_1252, ASCII = (
    *("utf-8", "utf-16-le", "utf-16-be"),
    *("iso-8859-1", "cp1252", "ascii"),
)
UTF_16 = "utf-16"
JSON_TYPES: Final = frozenset({"application/json", "text/json"})
XML_TYPES: Final = frozenset({"application/xml", "text/xml"})
ENCODINGS: Final = {
    **dict.fromkeys(("utf-8", "utf8"), UTF_8),
    **dict.fromkeys(("utf-16", "utf16"), UTF_16),
    "utf-16le": UTF_16_LE,
    "utf-16be": UTF_16_BE,
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"), LATIN_1),
    **dict.fromkeys(("windows-1252", "cp1252"), WINDOWS_1252),
    **dict.fromkeys(("us-ascii", "ascii"), ASCII),
}
"""Names in lower case, and what Python calls them; ``utf-16`` says nothing of the byte order."""

MARKS: Final = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, UTF_16_LE),
    (codecs.BOM_UTF16_BE, UTF_16_BE),
)
DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


class UnknownEncodingError(ValueError):
    """A charset or declaration that is not in the list."""


class MediaType(NamedTuple):
    """``name`` in lower case; ``charset`` as it was given, in lower case, or nothing."""

    name: str
    charset: str


@lru_cache(maxsize=64)
def media_type(header: str) -> MediaType:
    """What a ``Content-Type`` header says."""
    parsed = parse_mimetype(header)
    name = f"{parsed.type}/{parsed.subtype}" + (f"+{parsed.suffix}" if parsed.suffix else "")
    return MediaType(name.lower(), parsed.parameters.get("charset", "").strip("\"' ").lower())


def marked(data: bytes) -> tuple[str, int] | None:
    """The encoding that a byte order mark names, and the mark's length."""
    return next(((name, len(mark)) for mark, name in MARKS if data.startswith(mark)), None)


def text_of_xml(data: bytes, charset: str = "", errors: str = "strict") -> str:
    """The text of an XML document.

    Args:
        data: the body.
        charset: parameter of the media type.
        errors: what becomes of bytes that have no meaning, as in :meth:`bytes.decode`.

    Raises:
        UnknownEncodingError: when another encoding counts.
        UnicodeDecodeError: when it is not in its encoding.
    """
    mark = marked(data)
    if mark is not None:
        return data[mark[1] :].decode(mark[0], errors)
    if charset:
        return data.decode(_listed(charset, data), errors)
    if data[:2] in (b"<\0", b"\0<"):
        return data.decode(_order(data), errors)
    declared = DECLARED.match(data)
    name = _listed(declared[1].decode().lower(), data) if declared else UTF_8
    # A declaration that was read byte by byte is not in UTF-16, also if it says so.
    return data.decode(UTF_8 if name in {UTF_16_LE, UTF_16_BE} else name, errors)


def text_of_json(data: bytes, charset: str = "", errors: str = "strict") -> str:
    """The text of a JSON document; arguments and exceptions as for :func:`text_of_xml`."""
    mark = marked(data)
    if mark is not None:
        return data[mark[1] :].decode(mark[0], errors)
    encoding = _listed(charset, data) if charset else UTF_8
    if b"\0" in data[:2]:
        return data.decode(_order(data), errors)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(encoding, errors)


def is_listed(charset: str) -> bool:
    """Whether a ``charset`` can be read, or none was given."""
    return not charset or charset in ENCODINGS


def _listed(name: str, data: bytes) -> str:
    encoding = ENCODINGS.get(name)
    if encoding is None:
        raise UnknownEncodingError("an encoding that is not supported")
    return _order(data) if encoding == UTF_16 else encoding


def _order(data: bytes) -> str:
    """UTF-16 without a mark is big endian (RFC 2781), but where the first byte shows otherwise."""
    return UTF_16_LE if data[1:2] == b"\0" else UTF_16_BE
