"""The sandbox of a hand-over, built in a thread: it holds for the thread that builds it."""

import errno
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.core.reach import Host, Reach, SandboxMode, SandboxPart
from connector.keys.handover import hardening, sandbox

EVERYTHING = tuple(SandboxPart)
LOOPBACK = "127.0.0.1"
DONE = "done"

pytestmark = pytest.mark.skipif(
    sandbox.available() != EVERYTHING, reason="this kernel lacks Landlock 4 or seccomp"
)


def confined(reach: Reach, **acts: Callable[[], object]) -> dict[str, str]:
    """How each act ends in a thread with a sandbox. The sandbox ends with the thread."""

    def inside() -> dict[str, str]:
        hardening.forbid_gains()
        assert sandbox.enter(reach, SandboxMode.REQUIRE) == EVERYTHING
        return {name: _end_of(act) for name, act in acts.items()}

    assert sandbox.prepare() == EVERYTHING
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(inside).result()


def _end_of(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return DONE


def _made(family: socket.AddressFamily, kind: socket.SocketKind) -> None:
    with socket.socket(family, kind):
        pass


def test_files_are_those_declared(tmp_path: Path) -> None:
    declared, other = tmp_path / "declared", tmp_path / "other"
    for folder in (declared, other):
        folder.mkdir()
        (folder / "file").write_text("x")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ends = confined(
        Reach(files=(declared, tmp_path / "missing"), sockets=(pipe,)),
        read=(declared / "file").read_text,
        listed=lambda: list(declared.iterdir()),
        written=lambda: (declared / "file").write_text("y"),
        other=(other / "file").read_text,
        other_listed=lambda: list(other.iterdir()),
        pipe=lambda: os.close(os.open(pipe, os.O_RDWR)),
    )
    assert ends == {
        "read": DONE,
        "listed": DONE,
        "written": "EACCES",
        "other": "EACCES",
        "other_listed": "EACCES",
        "pipe": DONE,
    }
    assert (other / "file").read_text() == "x"


def test_ports_are_those_declared() -> None:
    with (
        socket.create_server((LOOPBACK, 0)) as declared,
        socket.create_server((LOOPBACK, 0)) as not_declared,
    ):
        addresses = declared.getsockname(), not_declared.getsockname()
        ends = confined(
            Reach(hosts=(Host(name=LOOPBACK, port=addresses[0][1]),)),
            declared=lambda: closing(socket.create_connection(addresses[0])).__exit__(
                None, None, None
            ),
            other=lambda: socket.create_connection(addresses[1]),
            listening=lambda: socket.create_server((LOOPBACK, 0)),
        )
    assert ends == {"declared": DONE, "other": "EACCES", "listening": "EPERM"}


@pytest.mark.parametrize(("name", "expected"), [(LOOPBACK, "EPERM"), ("ca.example.org", DONE)])
def test_datagrams_are_for_names_that_have_to_be_looked_up(name: str, expected: str) -> None:
    ends = confined(
        Reach(hosts=(Host(name=name, port=443),)),
        stream=lambda: _made(socket.AF_INET, socket.SOCK_STREAM),
        datagrams=lambda: _made(socket.AF_INET, socket.SOCK_DGRAM),
        local=lambda: _made(socket.AF_UNIX, socket.SOCK_STREAM),
        raw=lambda: _made(socket.AF_PACKET, socket.SOCK_RAW),
    )
    assert ends == {"stream": DONE, "datagrams": expected, "local": "EPERM", "raw": "EPERM"}


def test_a_declared_unix_socket_can_be_connected_to(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def connect() -> None:
            with socket.socket(socket.AF_UNIX) as connected:
                connected.connect(str(path))

        assert confined(Reach(sockets=(path,)), connect=connect) == {"connect": DONE}


def test_other_processes_and_priorities_are_out_of_reach() -> None:
    own = os.getpid()
    ends = confined(
        Reach(),
        itself=lambda: os.kill(own, 0),
        parent=lambda: os.kill(os.getppid(), 0),
        priority=lambda: os.setpriority(os.PRIO_PROCESS, own, 0),
        name=lambda: socket.sethostname(socket.gethostname()),
    )
    assert ends == {"itself": DONE, "parent": "EPERM", "priority": "EPERM", "name": "EPERM"}


def test_a_sandbox_that_is_switched_off_restricts_nothing() -> None:
    assert sandbox.enter(Reach(), SandboxMode.OFF) == ()


def test_a_part_that_is_required_and_missing_is_named() -> None:
    with pytest.raises(Permanent, match=r"HND-010: building the sandbox: no network$"):
        sandbox.require_sandbox((SandboxPart.FILES, SandboxPart.SYSTEM_CALLS), SandboxMode.REQUIRE)
    sandbox.require_sandbox((), SandboxMode.WHEN_AVAILABLE)
