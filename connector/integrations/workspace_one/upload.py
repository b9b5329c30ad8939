"""The body of an upload, in memory that can be overwritten.

``{"Signing": PAIR, "Encryption": PAIR, "ArchivedCertificates": [PAIR, …]}`` with PAIR being
``{"CertificatePayload": base64 of PKCS#12, "Password": clear text}``. Copies that TLS and sockets
make cannot be reached; the end of the process is the real wipe.
"""

from binascii import b2a_base64
from collections.abc import Iterable, Sequence

from connector.core.model import Slot
from connector.core.ports import Bundle

BASE64_STEP = 3 * 1024
ESCAPED = 6
"""Most bytes that one byte of a password needs in JSON: ``\\u001f``."""
ROOM = 256
"""Bytes for names and punctuation, per bundle."""
SINGLE = {Slot.SIGNING: "Signing", Slot.ENCRYPTION: "Encryption"}


class Upload:
    """The body of one upload; ``repr`` shows its size only."""

    def __init__(self, bundles: Sequence[Bundle], archived_member: str) -> None:
        self._buffer = bytearray(sum(_room(bundle) for bundle in bundles) + ROOM)
        self._used = 0
        self._write(bundles, archived_member)

    def __repr__(self) -> str:
        """Its size only."""
        return f"<Upload of {self._used} bytes>"

    def content(self) -> memoryview:
        """The body itself, not a copy; the code that sends it overwrites it."""
        return memoryview(self._buffer)[: self._used]

    def _write(self, bundles: Sequence[Bundle], archived_member: str) -> None:
        self._add(b"{")
        separator = b""
        for slot, name in SINGLE.items():
            for bundle in bundles:
                if bundle.slot is slot:
                    self._add(separator + b'"' + name.encode() + b'":')
                    self._add_pair(bundle)
                    separator = b","
        archived = [bundle for bundle in bundles if bundle.slot is Slot.ARCHIVED]
        if archived:
            self._add(separator + b'"' + archived_member.encode() + b'":')
            self._add_list(archived)
        self._add(b"}")

    def _add_list(self, bundles: Iterable[Bundle]) -> None:
        separator = b"["
        for bundle in bundles:
            self._add(separator)
            self._add_pair(bundle)
            separator = b","
        self._add(b"]")

    def _add_pair(self, bundle: Bundle) -> None:
        self._add(b'{"CertificatePayload":"')
        content = memoryview(bundle.pkcs12.reveal())
        for start in range(0, len(content), BASE64_STEP):
            self._add(b2a_base64(content[start : start + BASE64_STEP], newline=False))
        content.release()
        self._add(b'","Password":"')
        for byte in bundle.password.reveal():
            self._add(_escaped(byte))
        self._add(b'"}')

    def _add(self, piece: bytes) -> None:
        end = self._used + len(piece)
        self._buffer[self._used : end] = piece
        self._used = end


def _room(bundle: Bundle) -> int:
    return ROOM + 4 * (len(bundle.pkcs12) // 3 + 1) + ESCAPED * len(bundle.password)


def _escaped(byte: int) -> bytes:
    """One byte of UTF-8 within a JSON string (RFC 8259 section 7)."""
    if byte in b'"\\':
        return b"\\" + bytes((byte,))
    return bytes((byte,)) if byte >= 0x20 else b"\\u%04x" % byte  # noqa: PLR2004 - first printable
