"""The shortest end-to-end run, which every check of the project includes."""

from tests.e2e.records import agree
from tests.e2e.world import THREE, World


async def test_old_mail_becomes_readable_on_a_new_device(world: World) -> None:
    """A device that enrols reads all earlier mail; the copy goes, and all records agree."""
    alice = await world.person("alice", THREE)
    await world.enrol(alice)
    await world.reads_all(alice)
    state = await world.completed(alice)
    assert state.copy_.evidence
    assert await world.uem.copies() == []
    await agree(world)
