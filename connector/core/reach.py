"""Declares what a hand-over process may open for a plug-in. Holds no secret."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field

from connector.core.model import Record


class Host(Record):
    """A host that is connected to, by name or address, and the TCP port there."""

    name: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)


class Reach(Record):
    """Everything that a plug-in opens in a hand-over, besides what every process of it needs.

    ``hosts`` are connected to by TCP. ``files`` are read: files, or folders with all below them.
    ``libraries`` are shared libraries that are loaded only when they are used (a PKCS#11 module,
    or the folder with what it loads). ``sockets`` are Unix sockets and named pipes.
    """

    hosts: tuple[Host, ...] = ()
    files: tuple[Path, ...] = ()
    libraries: tuple[Path, ...] = ()
    sockets: tuple[Path, ...] = ()

    def __add__(self, other: Self) -> "Reach":
        """The union of both."""
        return Reach(
            hosts=self.hosts + other.hosts,
            files=self.files + other.files,
            libraries=self.libraries + other.libraries,
            sockets=self.sockets + other.sockets,
        )


class SandboxPart(StrEnum):
    """What a kernel can keep a hand-over process from."""

    FILES = "files"
    """Opening, making or running any file that was not declared (Landlock)."""

    NETWORK = "network"
    """Connecting by TCP to a port that no declared host has, and listening (Landlock)."""

    SYSTEM_CALLS = "system_calls"
    """Starting programs, tracing, signalling, other kinds of sockets and so on (seccomp)."""


class SandboxMode(StrEnum):
    """What to do where the kernel lacks a part of the sandbox."""

    REQUIRE = "require"
    WHEN_AVAILABLE = "when_available"
    OFF = "off"


class Protection(NamedTuple):
    """How a process is protected that holds keys."""

    memory_locked: bool
    sandbox: tuple[SandboxPart, ...] = ()
