"""Users whom the UEM or the CA does not show us, and an account that has lost its rights."""

from collections.abc import Awaitable, Callable

import pytest

from connector_testkit.demo.people import Actor
from connector_testkit.demo.polling import until
from connector_testkit.simulators.ca.commands import Lie, LieOrder, Operation
from tests.e2e.records import agree, uploads
from tests.e2e.world import UPLOAD, World

pytestmark = pytest.mark.slow
Bar = Callable[[World, Actor], Awaitable[object]]


async def at_the_uem(world: World, ill: Actor) -> None:
    """The account may not see the user."""
    await world.uem.fault("forbidden", path=f"system/users/{ill.user}", count=None)


async def at_the_upload(world: World, ill: Actor) -> None:
    """The account may see the user, and not change them."""
    await world.uem.fault("forbidden", path=f"{ill.user}/{UPLOAD}", count=None)


async def at_the_ca(world: World, ill: Actor) -> None:
    """A gateway before the CA, which does not speak the contract."""
    order = {"status": 403, "code": "no_access", "operation": Operation.LIST}
    await world.ca.lie(LieOrder.model_validate({"lie": Lie.STATUS, "person": ill.name, **order}))


async def failing_at_the_uem(world: World, ill: Actor) -> None:
    """The server cannot handle the user's record."""
    path = f"system/users/{ill.user}"
    await world.uem.fault("error", path=path, status=501, count=None)


@pytest.mark.parametrize(
    ("bar", "code", "ill"),
    [
        (at_the_uem, "UEM-403", 10),
        (at_the_upload, "UEM-403", 3),
        (at_the_ca, "CA-403", 10),
        (failing_at_the_uem, None, 3),
    ],
)
async def test_users_in_trouble_hold_up_no_one_else(
    world: World, bar: Bar, code: str | None, ill: int
) -> None:
    """They enrol first, so that nothing is answered between them; others are served at once.

    Every number of them with every answer: ``tests/upstream/test_outages.py``.
    """
    barred = [await world.person(f"barred-{number}", mails=False) for number in range(ill)]
    healthy = [await world.person(name) for name in ("alice", "bob", "carol")]
    for actor in barred:
        await bar(world, actor)
    for actor in (*barred, *healthy):
        await world.enrol(actor)
    for actor in healthy:
        await world.reads_all(actor)
        await world.completed(actor)
    if code is not None:
        for actor in barred:
            await world.failed(actor, code)
    for actor in barred:
        assert not await uploads(world, actor)
    assert not world.alarms()
    await agree(world)


@pytest.mark.parametrize("path", ["", "/users/"])
async def test_an_account_that_lost_its_rights_pauses_and_goes_on_by_itself(
    world: World, path: str
) -> None:
    """All of them, or only that to see users: one alarm, and no delivery fails of it."""
    people = [await world.person(name) for name in ("alice", "bob", "carol")]
    await world.enrol(people[0])
    await world.completed(people[0])
    fault = await world.uem.fault("forbidden", path=path, count=None)
    for actor in people:
        await world.enrol(actor)

    async def probed() -> bool:
        requests = await world.uem.ledger("request")
        return bool(world.alarms()) and sum(one["status"] == 403 for one in requests) > 4

    await until("an alarm, and probes that are refused", probed)
    assert [line["error_code"] for line in world.alarms()] == ["UEM-401"]
    await world.uem.clear_faults(fault)
    for actor in people:
        await world.reads_all(actor)
        await world.completed(actor)
    assert len(world.alarms()) == 1
