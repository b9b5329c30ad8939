"""Reading mounted files, for all parts that read one: bounded, regular, not writable by others.

A device or a pipe as a secret would never end; a file that others may write is theirs to replace.
"""

import os
import stat
from base64 import b64decode
from collections.abc import Callable, Iterable
from pathlib import Path

from connector.core.errors import Permanent
from connector.core.secret import Credential
from connector.decoding import marked

LARGEST = 1024 * 1024
"""Bytes of a bundle of certificates; all of a usual system's take a quarter of it."""

LARGEST_SECRET = 64 * 1024
SHORTEST_SIGNING_KEY = 24
"""Bytes of a signing secret (Standard Webhooks 1.0, section "Signature scheme")."""


def read_regular(file: Path, most: int) -> tuple[bytes, os.stat_result]:
    """What is in a regular file, and what the system says of it.

    Raises:
        OSError: when it cannot be opened or read.
        ValueError: when it is no regular file, or larger than ``most``; the text says which.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        data = stream.read(most + 1)
    if len(data) > most:
        raise ValueError(f"larger than {most // 1024} KiB")
    return data, status


def read_mounted(file: Path) -> bytes:
    """What is in a mounted file that is ours alone to change.

    Raises:
        Permanent: ``CFG-003`` when it cannot be read, is no regular file, empty, too large, or when
            other users may write it.
    """
    try:
        data, status = read_regular(file, LARGEST)
    except OSError as error:
        raise Permanent("CFG-003", f"reading {file}: {error.strerror}") from None
    except ValueError as error:
        raise Permanent("CFG-003", f"reading {file}: {error}") from None
    if fault := _foreign(status):
        raise Permanent("CFG-003", f"reading {file}: {fault}")
    if not data.strip():
        raise Permanent("CFG-003", f"reading {file}: empty")
    return data


def _foreign(status: os.stat_result) -> str:
    """Who else may change a file. Root may in any case; our own group is usually ours alone."""
    if status.st_uid not in {0, os.geteuid()}:
        return "owned by another user"
    if status.st_mode & stat.S_IWOTH:
        return "writable by all users"
    if status.st_mode & stat.S_IWGRP and status.st_gid not in {0, os.getegid()}:
        return "writable by another group"
    return ""


def read_secret(file: Path) -> Credential:
    """The secret in a mounted file.

    Raises:
        Permanent: ``CFG-003`` as :func:`read_mounted` and :func:`as_secret`.
    """
    return as_secret(file, read_mounted(file))


def as_secret(file: Path, data: bytes) -> Credential:
    """The secret in what was read of ``file``: its text without the line end.

    UTF-8, or what a byte order mark says; the mark is no part of the secret.

    Raises:
        Permanent: ``CFG-003`` when it is empty, too large, or not text.
    """
    encoding, length = marked(data) or ("utf-8", 0)
    try:
        text = data[length:].decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        raise Permanent("CFG-003", f"reading {file}: not UTF-8 text") from None
    if len(data) > LARGEST_SECRET:
        raise Permanent("CFG-003", f"reading {file}: larger than 64 KiB")
    if "\0" in text:  # UTF-16 without a byte order mark
        raise Permanent("CFG-003", f"reading {file}: not UTF-8 text")
    if not text:
        raise Permanent("CFG-003", f"reading {file}: empty")
    return Credential(text)


def changes_of(files: Iterable[Path]) -> Callable[[object, str], bool]:
    """A filter of watched directories: these files, or what Kubernetes swaps beside them.

    Other files may lie in the same directory. One that we write ourselves, such as a log, would
    otherwise call for reading, which is logged, without end.
    """
    names = {file.name for file in files}

    def concerns(_change: object, path: str) -> bool:
        name = path.rpartition("/")[2]
        return name in names or name.startswith("..")

    return concerns


def signing_key(secret: Credential) -> bytes:
    """The key in a signing secret of Standard Webhooks: ``whsec_`` and base64.

    Raises:
        Permanent: ``CFG-003`` when it is not base64, or too short.
    """
    text = secret.reveal().removeprefix("whsec_")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise Permanent("CFG-003", "reading a webhook's signing secret: not base64") from None
    if len(key) < SHORTEST_SIGNING_KEY:
        raise Permanent("CFG-003", "reading a webhook's signing secret: shorter than 24 bytes")
    return key
