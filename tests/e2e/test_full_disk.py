"""The journal's disk is full for a while: a file system of its own, in a namespace of its own."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from connector_testkit.demo.pod import Programs
from connector_testkit.demo.polling import ASK, until
from connector_testkit.demo.processes import COMMAND
from tests.conftest import Needs
from tests.e2e.conftest import Start
from tests.e2e.journal_view import JournalView
from tests.e2e.records import agree
from tests.e2e.world import World

pytestmark = pytest.mark.slow
SIZE = "12m"
PIECE = 64 * 1024
MOUNT = f'mount -t tmpfs -o size={SIZE} none "$0" && exec "$@"'


class SmallDisk(World):
    """The service has its journal on a small file system that only it and we can see."""

    def programs(self) -> Programs:
        mounting = ("unshare", "-rm", "sh", "-c", MOUNT, str(self.written / "journal"))
        return Programs(serve=(*mounting, *COMMAND))

    @property
    def journal_folder(self) -> Path:
        inside = str(self.written / "journal").removeprefix("/")
        return Path("/proc") / str(self.connector.pid) / "root" / inside

    @property
    def journal(self) -> JournalView:
        """A copy, as SQLite follows no path into another namespace; look when nothing happens."""
        copied = self.aside / "journal"
        shutil.copytree(self.journal_folder, copied, dirs_exist_ok=True)
        return JournalView(copied / "journal.sqlite")

    def fill(self) -> Path:
        """Leave not a byte free; the file to be removed."""
        ballast = self.journal_folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for size in (PIECE, 4096, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))
        return ballast


@pytest.fixture
def namespaces(needs: Needs) -> None:
    """Where user namespaces are forbidden, a small file system cannot be made."""
    tried = subprocess.run(
        [needs("unshare"), "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip("user namespaces are not allowed here")


@pytest.mark.usefixtures("namespaces")
async def test_full_disk_is_told_to_senders_and_passes(start: Start) -> None:
    """503 while nothing can be made durable, no act meanwhile; then all goes on as if nothing."""
    world = await start(kind=SmallDisk)
    assert isinstance(world, SmallDisk)
    alice = await world.person("alice")
    ballast = world.fill()
    process = world.connector.pid

    async def refused() -> bool:
        await world.enrol(alice)
        return any(entry["status"] == 503 for entry in await world.uem.ledger("webhook"))

    await until("a notification is answered 503", refused)
    held = len(await world.uem.ledger("upload"))
    shown = await world.connector.ask("status")
    first = shown["conditions"][0]
    assert (first["severity"], first["code"]) == ("critical", "JRN-001")
    assert "refused" in first["text"]
    ballast.unlink()
    await world.reads_all(alice)

    async def gone() -> bool:
        shown = await world.connector.ask("status", "holder", alice.holder)
        return bool(shown["copy"]["state"] == "gone")

    await until("the copy is gone", gone, every=ASK)
    assert held == 0
    assert world.connector.pid == process
    statuses = {entry["status"] for entry in await world.uem.ledger("webhook")}
    assert statuses <= {200, 503}
    await agree(world)
