"""A mounted secret turns to garbage while the service runs."""

import pytest

from tests.e2e.world import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("content", [b"no base64!\n", b"\xff\xfe\n"])
async def test_a_secret_that_is_none_changes_nothing(world: World, content: bytes) -> None:
    """It is refused with a line in the log; the service goes on with what it had."""
    alice = await world.person("alice")
    world.secrets.ca_hook.write_bytes(content)
    await world.connector.line(lambda said: said.get("event") == "secrets.refused")
    await world.enrol(alice)
    await world.completed(alice)
    assert world.connector.running
