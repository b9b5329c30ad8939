"""Tells what an answer is that should have been a PKCS#12 and is not.

An operator who reads "the CA answered a web page" looks at a proxy or a login; "malformed" would
mislead them. So the usual mix-ups have codes of their own.
"""

from connector.core.errors import Permanent, Transient

_SEQUENCE = 0x30
_INDEFINITE = 0x80
_LENGTH_OCTETS_LIMIT = 4
_TEXT_SNIFFED = 64
_SHORTEST_HEADER = 2


def recognise(answer: bytes | bytearray) -> None:
    """Accept what may be one complete DER or BER structure.

    Raises:
        Permanent: ``P12-007`` empty, ``P12-008`` HTML or XML, ``P12-009`` JSON or other text,
            ``P12-001`` anything else.
        Transient: ``P12-002`` cut off.
    """
    if not answer:
        raise Permanent("P12-007", "reading bundle: the answer is empty")
    if answer[0] != _SEQUENCE or _is_text(answer):
        _refuse_text(bytes(answer[:_TEXT_SNIFFED]))
    _check_length(answer)


def _is_text(answer: bytes | bytearray) -> bool:
    head = bytes(answer[:_TEXT_SNIFFED])
    return head.isascii() and all(byte >= ord(" ") or byte in b"\t\r\n" for byte in head)


def _refuse_text(head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        raise Permanent("P12-008", "reading bundle: the answer is an HTML or XML page")
    if start and _is_text(bytearray(start)):
        raise Permanent("P12-009", "reading bundle: the answer is JSON or other text")
    raise Permanent("P12-001", "reading bundle: the answer is not a PKCS#12 structure")


def _check_length(answer: bytes | bytearray) -> None:
    declared = _declared_length(answer)
    if declared is None:
        return
    if len(answer) < declared:
        raise Transient("P12-002", "reading bundle: the answer is cut off")
    if len(answer) > declared:
        raise Permanent("P12-001", "reading bundle: the answer goes on after the bundle")


def _declared_length(answer: bytes | bytearray) -> int | None:
    """Bytes that the outer header announces; None for BER of indefinite length (X.690 8.1.3)."""
    if len(answer) < _SHORTEST_HEADER:
        raise Transient("P12-002", "reading bundle: the answer is cut off")
    first = answer[1]
    if first == _INDEFINITE:
        return None
    if first < _INDEFINITE:
        return _SHORTEST_HEADER + first
    octets = first & 0x7F
    if octets > _LENGTH_OCTETS_LIMIT:
        raise Permanent("P12-001", "reading bundle: the answer is not a PKCS#12 structure")
    if len(answer) < 2 + octets:
        raise Transient("P12-002", "reading bundle: the answer is cut off")
    return 2 + octets + int.from_bytes(answer[2 : 2 + octets], "big")
