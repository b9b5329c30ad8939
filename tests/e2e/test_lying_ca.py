"""A CA that lies: each lie ends with its own code, harms no other user; the service goes on."""

import asyncio
from collections.abc import Mapping

import pytest

from connector.core.model import Usage
from connector_testkit.demo.people import Actor
from connector_testkit.simulators.ca.commands import Issue, Lie, LieOrder, Operation
from connector_testkit.simulators.ca.options import KeyAlgorithm
from tests.e2e.conftest import Start
from tests.e2e.records import agree, the_newest_came_last
from tests.e2e.states import troubled
from tests.e2e.world import THREE, World, route

pytestmark = pytest.mark.slow

AT_THE_FETCH = {
    Lie.OTHER_PERSONS_KEY: "KEY-206",
    Lie.MISFIT_KEY: "KEY-201",
    Lie.OTHER_GENERATION: "KEY-202",
    Lie.HOSTILE_MODULUS: "KEY-204",
    Lie.HOSTILE_EXPONENT: "KEY-204",
    Lie.REDIRECT: "CA-006",
    Lie.HTML: "CA-004",
    Lie.HUGE: "CA-005",
}
IN_THE_LIST = {
    Lie.CONTRADICTORY_STATUS: "CA-008",
    Lie.WRONG_FINGERPRINT: "CA-008",
    Lie.WRONG_USAGE: "KEY-102",
    Lie.TWICE: "CA-008",
    Lie.GARBAGE: "KEY-102",
    Lie.OTHER_PERSON: "CA-412",
}
PASSING = {Lie.TRUNCATED: "P12-002", Lie.DRIBBLE: "HND-001"}


async def victims(
    world: World, lies: Mapping[Lie, str], operation: Operation | None
) -> dict[Lie, Actor]:
    """One person for each lie, who has a device."""
    found = {}
    for lie in lies:
        found[lie] = await world.person(lie.value.replace("_", "-"), THREE, mails=False)
        await world.ca.lie(LieOrder(lie=lie, person=found[lie].name, operation=operation))
    for actor in found.values():
        await world.enrol(actor)
    return found


@pytest.mark.parametrize(
    ("lies", "operation"), [(AT_THE_FETCH, Operation.FETCH), (IN_THE_LIST, Operation.LIST)]
)
async def test_each_lie_has_its_code(
    world: World, lies: Mapping[Lie, str], operation: Operation
) -> None:
    """Who is lied about is failed with the lie's code; who comes next is served meanwhile."""
    processes = world.family()[:2]
    wronged = await victims(world, lies, operation)
    honest = await world.person("honest")
    await world.enrol(honest)
    async with asyncio.TaskGroup() as group:
        group.create_task(world.completed(honest))
        for lie, code in lies.items():
            group.create_task(world.failed(wronged[lie], code))
    await world.reads_all(honest)
    assert {entry["user"] for entry in await world.uem.ledger("upload")} == {honest.user}
    assert Operation.ELSEWHERE not in {entry.operation for entry in await world.ca.ledger()}
    assert world.family()[:2] == processes
    await agree(world)


async def test_passing_lies_cost_attempts_only(world: World) -> None:
    """What may be an accident is tried again; others are served, and honesty ends it well."""
    wronged = await victims(world, PASSING, Operation.FETCH)
    honest = await world.person("honest")
    await world.enrol(honest)
    async with asyncio.TaskGroup() as group:
        group.create_task(world.completed(honest))
        for lie, code in PASSING.items():
            group.create_task(world.sees(wronged[lie], code, troubled(code)))
    await world.ca.be_honest()
    for actor in wronged.values():
        await world.mails(actor)
    await world.all_read()
    await agree(world)


async def test_revoked_signing_certificate_is_not_delivered(start: Start) -> None:
    """When the CA lists the revocation, no set is made; when it hides it, nothing leaves the CA."""
    world = await start(route(signing="required"))
    told, deceived = await world.person("told"), await world.person("deceived")
    for actor in (told, deceived):
        for one in await world.ca.certificates(actor.name):
            if one.usage is Usage.SIGNING:
                await world.ca.revoke(one.fingerprint, notify=False)
    await world.ca.lie(LieOrder(lie=Lie.HIDDEN_REVOCATION, person=deceived.name))
    for actor in (told, deceived):
        await world.enrol(actor)
    await world.failed(told, "KEY-107")
    await world.failed(deceived, "CA-413")
    assert await world.uem.ledger("upload") == []


async def test_weak_and_expired_archived_generations_are_delivered(world: World) -> None:
    """Mail of long ago is as readable as today's: RSA-1024, expired, revoked since."""
    alice = await world.person("alice", THREE, mails=False)
    weak = await world.ca.issue(
        Issue(
            person=alice.name,
            key_algorithm=KeyAlgorithm.RSA_1024,
            issued_days_ago=3000,
            valid_days=365,
            notify=False,
        )
    )
    oldest = (await world.ca.certificates(alice.name))[0]
    await world.ca.revoke(oldest.fingerprint, notify=False)
    await world.mails(alice)
    assert weak.fingerprint in {mail.generation for mail in alice.mails}
    await world.enrol(alice)
    await world.reads_all(alice)
    await the_newest_came_last(world, alice)
    await agree(world)
