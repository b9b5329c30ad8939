"""Users whom only the UEM knows, because the notification of their device was lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.admin.records import Deliver
from connector.core.errors import Rejected
from tests.admin.upstreams import Upstreams
from tests.admin.world import ANNA, AdminWorld


@pytest.fixture
async def service(upstreams: Upstreams, tmp_path: Path) -> AsyncIterator[tuple[AdminWorld, str]]:
    """A journal that knows none of the UEM's users, and the key of the one it should find."""
    world = AdminWorld(tmp_path / "journal")
    world.targets = upstreams.targets
    await world.open()
    yield world, upstreams.key
    await world.journal.close()


@pytest.mark.parametrize("form", ["{key}", "{user}", "MARA", "mara@example.com", "device/{device}"])
async def test_a_delivery_heals_a_lost_notification(
    service: tuple[AdminWorld, str], upstreams: Upstreams, form: str
) -> None:
    """A user whom only the UEM knows is found by key, id, user name, mail or device."""
    world, key = service
    wanted = form.format(key=key, user=upstreams.user, device=upstreams.device)
    receipt = await world.service().act(Deliver(holder=wanted, reason="webhook lost"), ANNA)
    assert receipt.subjects == (key,)
    assert len(await world.events(key)) == 1


@pytest.mark.parametrize("wanted", ["corp/user/9999", "9999", "nobody", "mar", "device/9999"])
async def test_a_user_whom_the_uem_does_not_know_is_refused(
    service: tuple[AdminWorld, str], wanted: str
) -> None:
    """A typing error leaves no holder behind; the message names the forms that work."""
    world, _ = service
    with pytest.raises(Rejected, match=r"DLV-007.*TENANT/user/ID, a user name, a mail address"):
        await world.service().act(Deliver(holder=wanted, reason="webhook lost"), ANNA)
    assert await world.events() == []
