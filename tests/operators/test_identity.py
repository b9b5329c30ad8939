"""The command line speaks to the service, or to no process."""

import asyncio
import os
import socket as sockets
import sys
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.operators.client import AdminClient
from connector.operators.identity import require_service
from tests.support import asked

STRANGER = 4243
IMPOSTOR = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
os.setuid(4243)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
connection, _ = listener.accept()
print(len(connection.recv(4096)), flush=True)
"""

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")


@pytest.fixture
def shared(folder: Path) -> Path:
    """One that all users may write to."""
    folder.chmod(0o777)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of root's that other users can reach."""
    for one in (tmp_path, *tmp_path.parents):
        if one.name.startswith(("pytest-", "popen-")) or one == tmp_path:
            one.chmod(0o755)
    return tmp_path


def made(path: Path, owner: int = STRANGER) -> Path:
    """A socket that belongs to a user."""
    with sockets.socket(sockets.AF_UNIX) as one:
        one.bind(str(path))
    os.chown(path, owner, owner)
    return path


def below(folder: Path, mode: int, owner: int = STRANGER) -> Path:
    """A folder with a mode, that belongs to a user."""
    inner = folder / "run"
    inner.mkdir()
    os.chown(inner, owner, owner)
    inner.chmod(mode)
    return inner


async def test_an_impostor_is_told_nothing(shared: Path) -> None:
    """In a directory that others may write, another user's answer is refused before any request."""
    path = shared / "admin.sock"
    impostor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPOSTOR, str(path)), stdout=asyncio.subprocess.PIPE
    )
    assert impostor.stdout is not None
    assert await impostor.stdout.readline() == b"ready\n"
    async with AdminClient(path) as client:
        with pytest.raises(Permanent) as refused:
            await asked.version(client)
    assert refused.value.code == "ADM-004"
    assert await impostor.stdout.readline() == b"0\n"
    await impostor.wait()


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o755])
def test_the_service_of_another_user_is_known_by_its_folder(folder: Path, mode: int) -> None:
    """Root asks a service of another user whose folder only that user may write."""
    require_service(made(below(folder, mode) / "admin.sock"), STRANGER, 0)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o775, 0o1777])
def test_a_folder_that_others_may_write_proves_nothing(folder: Path, mode: int) -> None:
    """Also where they cannot replace what is there: they could have been first."""
    path = made(below(folder, mode, 0) / "admin.sock")
    with pytest.raises(Permanent, match="others may write"):
        require_service(path, STRANGER, 0)


def test_every_folder_above_counts(folder: Path) -> None:
    """A folder of the service's own says nothing where others could have made it."""
    inner = below(folder, 0o700)
    path = made(inner / "admin.sock")
    folder.chmod(0o1777)
    with pytest.raises(Permanent, match="others may write"):
        require_service(path, STRANGER, 0)


def test_the_folder_of_a_third_user_proves_nothing(folder: Path) -> None:
    """Whose folder it is can put any socket there."""
    path = made(below(folder, 0o755, STRANGER + 1) / "admin.sock")
    with pytest.raises(Permanent, match="another user"):
        require_service(path, STRANGER, 0)


def test_a_link_is_followed(folder: Path) -> None:
    """A folder that is reached by a symbolic link is judged where it really is."""
    path = made(below(folder, 0o777, 0) / "admin.sock")
    (folder / "link").symlink_to(path.parent)
    with pytest.raises(Permanent, match="others may write"):
        require_service(folder / "link" / "admin.sock", STRANGER, 0)


def test_who_answers_owns_the_socket(folder: Path) -> None:
    """A socket of root's on which another user answers is not asked."""
    path = made(below(folder, 0o755, 0) / "admin.sock", 0)
    with pytest.raises(Permanent, match="does not own it"):
        require_service(path, STRANGER, 0)


@pytest.mark.parametrize("peer", [0, STRANGER])
def test_root_and_the_own_user_are_believed_anywhere(folder: Path, peer: int) -> None:
    """A process with one of these ids needs no false socket."""
    require_service(made(below(folder, 0o777) / "admin.sock"), peer, STRANGER)
