"""What a hand-over process that was taken over would try, and what the kernel answers."""

import ctypes
import errno
import os
import platform
import resource
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

MSG_FASTOPEN = 0x20000000
IPPROTO_MPTCP = 262
PR_SET_DUMPABLE = 4
PEEK = 2
UNKNOWN_CALL = 1000
CALLS = {
    "x86_64": {"keyctl": 250, "bpf": 321, "process_vm_readv": 310, "unshare": 272},
    "aarch64": {"keyctl": 219, "bpf": 280, "process_vm_readv": 270, "unshare": 97},
}
IO_URING_SETUP = 425
NEW_USER_NAME_SPACE = 0x10000000
LOOPBACK = "127.0.0.1"

libc = ctypes.CDLL(None, use_errno=True)


def tried(given: dict[str, Any]) -> dict[str, str]:
    """Each try and how it ended: ``done`` or the name of the error."""
    return {name: _ended(act, given) for name, act in TRIES.items()}


def _ended(act: Callable[[dict[str, Any]], object], given: dict[str, Any]) -> str:
    try:
        act(given)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def _called(number: int, *arguments: int) -> None:
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _call(name: str, *arguments: int) -> None:
    _called(CALLS[platform.machine()][name], *arguments)


def _connect(port: int) -> None:
    with socket.create_connection((LOOPBACK, port)):
        pass


def _connect_fast(given: dict[str, Any]) -> None:
    with socket.socket() as one:
        one.sendto(b"x", MSG_FASTOPEN, (LOOPBACK, given["port"]))


def _connect_locally(given: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(given["socket"])


def _listen(_: dict[str, Any]) -> None:
    with socket.create_server((LOOPBACK, 0)):
        pass


def _fork(_: dict[str, Any]) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _start(_: dict[str, Any]) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def _thread(_: dict[str, Any]) -> None:
    one = threading.Thread(target=int)
    one.start()
    one.join()


def _trace(_: dict[str, Any]) -> None:
    if libc.ptrace(PEEK, os.getpid(), None, None) < 0 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), "refused")


def _prctl(_: dict[str, Any]) -> None:
    if libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "refused")


def _limit_parent(_: dict[str, Any]) -> None:
    files = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, files)


TRIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "read the declared file": lambda given: Path(given["declared file"]).read_bytes(),
    "connect to the declared port": lambda given: _connect(given["declared port"]),
    "start a thread": _thread,
    "signal itself": lambda _: os.kill(os.getpid(), 0),
    "read another file": lambda given: Path(given["file"]).read_bytes(),
    "list another folder": lambda given: list(Path(given["file"]).parent.iterdir()),
    "make a file": lambda given: Path(given["declared file"]).with_name("new").touch(),
    "remove a file": lambda given: Path(given["spare"]).unlink(),
    "connect to another port": lambda given: _connect(given["port"]),
    "connect by fast open": _connect_fast,
    "connect to a Unix socket": _connect_locally,
    "listen": _listen,
    "send datagrams": lambda _: socket.socket(type=socket.SOCK_DGRAM).close(),
    "speak multipath TCP": lambda _: socket.socket(proto=IPPROTO_MPTCP).close(),
    "fork": _fork,
    "start a program": _start,
    "trace": _trace,
    "read another memory": lambda _: _call("process_vm_readv", os.getppid(), 0, 0, 0, 0, 0),
    "signal its parent": lambda _: os.kill(os.getppid(), 0),
    "limit its parent": _limit_parent,
    "become dumpable": _prctl,
    "use keys of the kernel": lambda _: _call("keyctl", 0, -3, 0),
    "load a program into the kernel": lambda _: _call("bpf", 0, 0, 0),
    "make name spaces": lambda _: _call("unshare", NEW_USER_NAME_SPACE),
    "use io_uring": lambda _: _called(IO_URING_SETUP, 1, 0),
    "make a call of the future": lambda _: _called(UNKNOWN_CALL),
}
