"""The message that a container leaves when it ends: Kubernetes shows it with the pod's status.

The kubelet mounts the file; where it is missing, the process runs in no container of a pod.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from connector.catalogue import catalogue
from connector.cli.formatting import shown
from connector.core.errors import ConnectorError
from connector.settings.report import SettingsRefused

TERMINATION_LOG = Path("/dev/termination-log")
LONGEST = 4096
"""Bytes of it that the kubelet reads."""


@contextlib.contextmanager
def left_in(file: Path) -> Iterator[None]:
    """Write the error that this ends with, and what to do about it, into ``file`` if it exists."""
    try:
        yield
    except ConnectorError as error:
        _write(file, told(error, error.problems if isinstance(error, SettingsRefused) else ()))
        raise


def told(error: ConnectorError, faults: Sequence[object] = ()) -> str:
    """An error as people read it: code, title and detail, then what to do; then single faults."""
    entry = catalogue().get(error.code)
    title, action = (entry.title, entry.action) if entry else ("", "")
    lines = (f"{error.code} {title}: {error.detail}", f"    {action}", *map(str, faults))
    return "".join(f"{shown(line)}\n" for line in lines)


def _write(file: Path, text: str) -> None:
    """No fault of the file may hide the error that is being told."""
    data = text.encode()
    with contextlib.suppress(OSError):
        descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data[:LONGEST].decode(errors="ignore").encode())
