"""Text from bytes by the rules of the media type: each encoding, each way of telling it."""

import codecs
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.decoding import UnknownEncodingError, media_type, text_of_json, text_of_xml

MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}
LISTED = {
    "UTF-8": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-16-be",
    "UTF-16LE": "utf-16-le",
    "utf-16be": "utf-16-be",
    "ISO-8859-1": "latin-1",
    "windows-1252": "cp1252",
    "US-ASCII": "ascii",
}
UNLISTED = ["utf-7", "utf-32", "ibm037", "shift_jis", "iso-8859-15", "base64", "no-such", "os"]
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
OBJECT = LATIN.map(lambda text: '{"a": "' + text + '"}')
DOCUMENT = LATIN.map(lambda text: "<a>" + text + "</a>")


@given(text=DOCUMENT, encoding=st.sampled_from(sorted(MARKED)), charset=st.text(max_size=10))
def test_a_byte_order_mark_comes_first(text: str, encoding: str, charset: str) -> None:
    """With any parameter and declaration (RFC 7303 section 3.3)."""
    declared = f'<?xml version="1.0" encoding="utf-7"?>{text}'
    for whole in (text, declared):
        assert text_of_xml(MARKED[encoding] + whole.encode(encoding), charset) == whole
    assert text_of_json(MARKED[encoding] + text.encode(encoding), charset) == text


@given(text=DOCUMENT, charset=st.sampled_from(sorted(LISTED)), declared=st.sampled_from(UNLISTED))
def test_the_charset_comes_before_the_declaration(text: str, charset: str, declared: str) -> None:
    """RFC 7303 section 3.2."""
    whole = f'<?xml version="1.0" encoding="{declared}"?>{text}'
    kind = media_type(f'application/xml; charset="{charset}"')
    assert text_of_xml(whole.encode(LISTED[charset]), kind.charset) == whole


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("declared", LISTED)
def test_the_declaration_counts_where_nothing_else_does(declared: str, quote: str) -> None:
    """One that claims UTF-16 and could be read byte by byte is not true; then it is UTF-8."""
    whole = f"<?xml version={quote}1.0{quote} encoding={quote}{declared}{quote}?><a>x</a>"
    assert text_of_xml(whole.encode()) == whole
    if not declared.lower().startswith("utf-16"):
        named = whole.replace(">x<", ">\N{LATIN SMALL LETTER U WITH DIAERESIS}<")
        if declared != "US-ASCII":
            assert text_of_xml(named.encode(LISTED[declared])) == named


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_sixteen_bits_show_without_a_mark(encoding: str) -> None:
    """As XML 1.0, appendix F, and RFC 4627 tell it."""
    assert text_of_xml("<a/>".encode(encoding)) == "<a/>"
    assert text_of_xml("<a/>".encode(encoding), "utf-16") == "<a/>"
    assert text_of_json('{"a": 1}'.encode(encoding)) == '{"a": 1}'


@pytest.mark.parametrize("charset", UNLISTED)
def test_other_encodings_are_not_tried(charset: str) -> None:
    """A short list: Python knows many more, some of which are no encodings of text at all."""
    with pytest.raises(UnknownEncodingError):
        text_of_xml(b"<a/>", charset)
    with pytest.raises(UnknownEncodingError):
        text_of_xml(f'<?xml version="1.0" encoding="{charset}"?><a/>'.encode())
    with pytest.raises(UnknownEncodingError):
        text_of_json(b"{}", charset)


@given(text=st.text(max_size=30), charset=st.sampled_from(["iso-8859-1", "windows-1252"]))
def test_json_is_utf_8_whatever_is_declared(text: str, charset: str) -> None:
    """RFC 8259: a charset has no effect. What is not UTF-8 is what was declared."""
    assert text_of_json(f'{{"a": "{text}"}}'.encode(), charset) == f'{{"a": "{text}"}}'
    assert text_of_json(b'"\xfc"', charset) == '"\N{LATIN SMALL LETTER U WITH DIAERESIS}"'


@given(data=st.binary(max_size=40), charset=st.sampled_from(["", *UNLISTED, *LISTED]))
def test_bytes_are_text_or_one_of_two_refusals(data: bytes, charset: str) -> None:
    """Nothing else is raised; and with `replace` nothing but the unknown encoding."""
    for read in (text_of_xml, text_of_json):
        with suppress(UnicodeDecodeError, UnknownEncodingError):
            read(data, charset.lower())
        with suppress(UnknownEncodingError):
            read(data, charset.lower(), "replace")


@pytest.mark.parametrize(
    ("header", "name", "charset"),
    [
        ("application/json", "application/json", ""),
        ("Application/JSON ; Charset=UTF-8", "application/json", "utf-8"),
        ('text/xml;charset="utf-16"', "text/xml", "utf-16"),
        ("text/xml; a=b; charset='x'; c", "text/xml", "x"),
        ("application/problem+json", "application/problem+json", ""),
        ("", "/", ""),
        (";;;", "/", ""),
    ],
)
def test_a_media_type_has_a_name_and_perhaps_a_charset(
    header: str, name: str, charset: str
) -> None:
    """Case, spaces and quotation marks aside."""
    assert media_type(header) == (name, charset)
