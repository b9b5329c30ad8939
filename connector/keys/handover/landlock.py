"""Files and TCP ports that this process may use from now on (Linux, landlock(7)).

No library: a few system calls whose numbers are the same on every architecture. What an older
kernel does not know is left out of what is asked for; :func:`version` tells what it knows.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FIRST_WITH_NETWORK = 4

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many of the rights for files each version knows; they are numbered in the order of birth."""
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
_FIRST_WITH_SCOPES = 6

_libc = ctypes.CDLL(None, use_errno=True)


_RULESET = struct.Struct("=QQQ")
"""``struct landlock_ruleset_attr``: rights for files, rights for the network, what is scoped."""
_BENEATH = struct.Struct("=Qi")
"""``struct landlock_path_beneath_attr``: rights, descriptor."""
_PORT = struct.Struct("=QQ")
"""``struct landlock_net_port_attr``: rights, port."""


def version() -> int:
    """Which version of Landlock this kernel has; 0: none, or it is switched off."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)))


def restrict(read: Iterable[Path], sockets: Iterable[Path], ports: Iterable[int]) -> None:
    """Forbid all files but these, all TCP ports but these, and signals to other processes.

    It cannot be undone and holds for all that this process starts. New privileges have to be
    forbidden before.

    Args:
        read: files that may be read, and folders with all below them; what is missing is skipped.
        sockets: named pipes and Unix sockets, which may be written to as well.
        ports: TCP ports that may be connected to.

    Raises:
        OSError: the kernel refuses.
    """
    known = version()
    ruleset = _created(known)
    try:
        for path in read:
            _allow_path(ruleset, path, _READ_FILE | _READ_DIR)
        for path in sockets:
            _allow_path(ruleset, path, _READ_FILE | _WRITE_FILE)
        if known >= FIRST_WITH_NETWORK:
            for port in set(ports):
                _add(ruleset, _NET_PORT, _PORT.pack(_CONNECT_TCP, port))
        _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _created(known: int) -> int:
    rights = max(count for since, count in _FILE_RIGHTS.items() if since <= known)
    network = _BIND_TCP | _CONNECT_TCP if known >= FIRST_WITH_NETWORK else 0
    scoped = _ABSTRACT_SOCKETS | _SIGNALS if known >= _FIRST_WITH_SCOPES else 0
    wanted = _RULESET.pack((1 << rights) - 1, network, scoped)
    members = 1 + (known >= FIRST_WITH_NETWORK) + (known >= _FIRST_WITH_SCOPES)
    return _checked(_libc.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(8 * members), 0))


def _allow_path(ruleset: int, path: Path, rights: int) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(opened).st_mode):
                rights &= ~_READ_DIR
            _add(ruleset, _PATH_BENEATH, _BENEATH.pack(rights, opened))
        finally:
            os.close(opened)


def _add(ruleset: int, kind: int, rule: bytes) -> None:
    _checked(_libc.syscall(_ADD_RULE, ruleset, kind, rule, 0))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "restricting this process")
    return result
