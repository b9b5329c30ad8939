"""One pod with a volume, from its installation to its removal."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.node import Node
from tests.cluster.volumes import volume
from tests.cluster.world import Installed
from tests.e2e.world import THREE

pytestmark = pytest.mark.slow


@pytest.fixture
async def world(node: Node, tmp_path: Path) -> AsyncIterator[Installed]:
    name = tmp_path.name.replace("_", "-")
    disks = node.folder / "disks" / tmp_path.name
    node.client.apply(
        volume(f"{name}-journal", disks / "data", "4Gi", "ReadWriteOncePod", "fast-local"),
        volume(f"{name}-backup", disks / "backup", "8Gi", "ReadWriteOnce"),
    )
    async with Installed(tmp_path / "stage", node, "sqlite-values.yaml") as world:
        yield world


async def test_old_mail_is_read_and_commands_work(world: Installed) -> None:
    """Devices outside the cluster get their keys; commands and checks work as documented."""
    alice = await world.person("alice", THREE)
    await world.enrol(alice)
    await world.reads_all(alice)
    status = await world.ask("status")
    assert len(status["partitions"]) == 8
    tested = await world.helm("test", world.release)
    assert "Phase:          Succeeded" in tested


async def test_the_journal_outlives_upgrade_rollback_and_kill(world: Installed) -> None:
    """Another image and other settings, back again, and a pod that is killed: nothing is lost."""
    alice = await world.person("alice", THREE)

    async def another() -> None:
        await world.enrol(alice)
        await world.reads_all(alice)

    await another()
    await world.upgrade({"image": {"tag": "demo"}, "config": {"service": {"log_level": "debug"}}})
    assert await image(world) == "localhost/pki-connector:demo"
    await another()
    await world.rollback()
    assert await image(world) == "localhost/pki-connector:plain"
    await another()
    await world.kubectl("delete", "pod", f"{world.workload}-0", "--force", "--grace-period=0")
    await world.rescheduled()
    await another()
    (shown,) = (await world.ask("status", "holder"))["items"]
    assert shown["key"] == f"corp/user/{alice.user}"


async def image(world: Installed) -> str:
    """Of the running pod."""
    path = "jsonpath={.spec.containers[0].image}"
    return await world.kubectl("get", "pod", f"{world.workload}-0", "-o", path)
