"""Reading mounted secrets."""

from pathlib import Path

from connector.core.errors import Permanent
from connector.core.secret import Credential

LARGEST = 64 * 1024


def read_secret(file: Path) -> Credential:
    """The secret in a mounted file.

    Raises:
        Permanent: ``CFG-003`` when the file cannot be read, or as :func:`as_secret`.
    """
    try:
        with file.open("rb") as stream:
            return as_secret(file, stream.read(LARGEST + 1))
    except OSError as error:
        raise Permanent("CFG-003", f"reading {file}: {error.strerror}") from None


def as_secret(file: Path, data: bytes) -> Credential:
    """The secret in what was read of ``file``: its text (UTF-8) without the line end.

    Raises:
        Permanent: ``CFG-003`` when it is empty, too large, or not text.
    """
    try:
        text = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Permanent("CFG-003", f"reading {file}: not UTF-8 text") from None
    if not text or len(data) > LARGEST:
        fault = "empty" if not text else "larger than 64 KiB"
        raise Permanent("CFG-003", f"reading {file}: {fault}")
    return Credential(text)
