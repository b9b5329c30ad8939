"""Users whom only the UEM knows, because the notification of their device was lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.core.errors import Rejected
from connector.operators.handlers import Caller
from connector.operators.verbs.acts import Deliver
from connector.operators.verbs.status import Kind, SubjectQuery
from tests.operators.upstreams import Upstreams
from tests.operators.world import ANNA, AdminWorld, holder


@pytest.fixture
async def service(upstreams: Upstreams, tmp_path: Path) -> AsyncIterator[tuple[AdminWorld, str]]:
    """A journal that knows none of the UEM's users, and the key of the one it should find."""
    world = AdminWorld(tmp_path / "journal")
    world.targets = upstreams.targets
    await world.open()
    yield world, upstreams.key
    await world.journal.close()


@pytest.mark.parametrize(
    "form",
    [
        *("{key}", "{user}", "MARA", "mara@example.com", "device/{device}"),
        *("0{user}", "corp/user/0{user}", "corp/user/{uuid}", "corp/user/{capitals}"),
    ],
)
async def test_a_delivery_heals_a_lost_notification(
    service: tuple[AdminWorld, str], upstreams: Upstreams, form: str
) -> None:
    """A user whom only the UEM knows is found by key, id, user name, mail or device.

    In every spelling it is one holder, with the id that the UEM gives.
    """
    world, key = service
    wanted = form.format(
        key=key,
        user=upstreams.user,
        device=upstreams.device,
        uuid=upstreams.uuid,
        capitals=upstreams.uuid.upper(),
    )
    receipt = await world.service().act_on_holder(
        Deliver(holder=wanted, reason="webhook lost"), Caller(ANNA)
    )
    assert receipt.subjects == (key,)
    assert len(await world.events(key)) == 1


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        *(("holder", form) for form in ("{key}", "{user}", "MARA", "mara@example.com")),
        ("holder", "device/{device}"),
        ("device", "{device}"),
        ("device", "corp/device/{device}"),
    ],
)
async def test_status_says_what_only_the_uem_knows(
    service: tuple[AdminWorld, str], upstreams: Upstreams, kind: Kind, form: str
) -> None:
    """And what to type; it does nothing."""
    world, key = service
    wanted = form.format(key=key, user=upstreams.user, device=upstreams.device)
    with pytest.raises(Rejected, match=f"DLV-007.*the UEM knows .*{key}.*deliver {key}"):
        await world.service().subject(SubjectQuery(kind=kind, name=wanted))
    assert await world.events() == []


async def test_status_finds_a_known_user_by_the_uems_names(
    service: tuple[AdminWorld, str], upstreams: Upstreams
) -> None:
    """By the device, which the journal may not know whose it is."""
    world, key = service
    await world.put(holder(upstreams.user))
    query = SubjectQuery(kind="holder", name=f"device/{upstreams.device}")
    assert (await world.service().subject(query)).state.key == key
    act = Deliver(holder=f"device/{upstreams.device}", drop_generation="bbbbbbbb", reason="lost")
    assert (await world.service().act_on_holder(act, Caller(ANNA))).subjects == (key,)


async def test_status_tells_when_the_uem_cannot_be_asked(
    service: tuple[AdminWorld, str], upstreams: Upstreams
) -> None:
    """The subject is not known all the same; which forms would fit is said."""
    world, _ = service
    await upstreams.uem.fault("error", status=500, count=None)
    with pytest.raises(Rejected, match=r"DLV-007.*cannot be asked now \(UEM-.*say TENANT/user/ID"):
        await world.service().subject(SubjectQuery(kind="holder", name="nobody"))


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("holder", "nor does the UEM; say TENANT/user/ID"),
        ("device", "nor does the UEM; say TENANT/device/ID"),
        ("person", "say CA/person/ID"),
    ],
)
async def test_status_names_the_forms_that_work(
    service: tuple[AdminWorld, str], kind: Kind, form: str
) -> None:
    """Where neither knows it."""
    world, _ = service
    with pytest.raises(Rejected, match=f"DLV-007.*the journal knows no {kind} 9999.*{form}"):
        await world.service().subject(SubjectQuery(kind=kind, name="9999"))


@pytest.mark.parametrize("wanted", ["corp/user/9999", "9999", "nobody", "mar", "device/9999"])
async def test_a_user_whom_the_uem_does_not_know_is_refused(
    service: tuple[AdminWorld, str], wanted: str
) -> None:
    """A typing error leaves no holder behind; the message names the forms that work."""
    world, _ = service
    with pytest.raises(Rejected, match=r"DLV-007.*TENANT/user/ID, a user name, a mail address"):
        await world.service().act_on_holder(
            Deliver(holder=wanted, reason="webhook lost"), Caller(ANNA)
        )
    assert await world.events() == []
