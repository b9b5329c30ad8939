"""A network with nothing but loopback, for this process and what it starts (Linux)."""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_REQUEST = "16sh14x"
"""Name and flags, as netdevice(7) has them."""
_within: list[None] = []
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def alone() -> Iterator[None]:
    """Leave the machine's network until the end; needs root, and the process's first thread."""
    before = os.open(Path("/proc/self/ns/net"), os.O_RDONLY)
    try:
        _checked(_libc.unshare(_CLONE_NEWNET))
        with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack(_REQUEST, b"lo", _IFF_UP))
        _within.append(None)
        yield
        _within.pop()
        _checked(_libc.setns(before, _CLONE_NEWNET))
    finally:
        os.close(before)


def is_alone() -> bool:
    """Whether this process has left the machine's network: each address is then its own."""
    return bool(_within)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "changing the network namespace")
