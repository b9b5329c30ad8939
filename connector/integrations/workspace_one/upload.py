"""The body of an upload, in memory that can be overwritten.

``{"Signing": PAIR, "Encryption": PAIR, "ArchivedCertificates": [PAIR, …]}`` with PAIR being
``{"CertificatePayload": base64 of PKCS#12, "Password": clear text}``. Copies that TLS and sockets
make cannot be reached; the end of the process is the real wipe.
"""

from binascii import b2a_base64
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from connector.core.model import Slot
from connector.core.ports import Bundle

BASE64_STEP = 3 * 1024
PIECE = 64 * 1024
ESCAPED = 6
"""Most bytes that one byte of a password needs in JSON: ``\\u001f``."""
ROOM = 256
"""Bytes for names and punctuation, per bundle."""
SINGLE = {Slot.SIGNING: "Signing", Slot.ENCRYPTION: "Encryption"}


class Upload:
    """One upload on its way.

    Attributes:
        begun: whether its first byte may have left.
        obstacle: what ``sending`` raised, if it did; then nothing of the body has left.
    """

    def __init__(
        self, bundles: Sequence[Bundle], archived_member: str, sending: Callable[[], None]
    ) -> None:
        """Build the body. ``sending`` is called right before its first byte is given away."""
        self._buffer = bytearray(sum(_room(bundle) for bundle in bundles) + ROOM)
        self._used = 0
        self._sending = sending
        self.begun = False
        self.obstacle: Exception | None = None
        self._write(bundles, archived_member)

    def __repr__(self) -> str:
        """Its size only."""
        return f"<Upload of {self._used} bytes>"

    def __len__(self) -> int:
        return self._used

    async def pieces(self) -> AsyncIterator[memoryview]:
        """The body, piece by piece, without copying it."""
        try:
            self._sending()
        except Exception as error:
            self.obstacle = error
            raise
        self.begun = True
        view = memoryview(self._buffer)
        for start in range(0, self._used, PIECE):
            yield view[start : min(start + PIECE, self._used)]

    def wipe(self) -> None:
        """Overwrite the body with zeros."""
        self._buffer[:] = bytes(len(self._buffer))

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
