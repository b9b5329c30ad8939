"""Reading mounted secrets."""

from pathlib import Path

from connector.core.errors import Permanent
from connector.core.secret import Credential

LARGEST = 64 * 1024


def read_secret(file: Path) -> Credential:
    """The secret in a mounted file: its text (UTF-8) without the line end.

    Raises:
        Permanent: ``CFG-003`` when the file cannot be read, is empty, too large, or not text.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        text = data.decode().rstrip("\r\n")
    except OSError as error:
        raise Permanent("CFG-003", f"reading {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Permanent("CFG-003", f"reading {file}: not UTF-8 text") from None
    if not text or len(data) > LARGEST:
        fault = "empty" if not text else "larger than 64 KiB"
        raise Permanent("CFG-003", f"reading {file}: {fault}")
    return Credential(text)
