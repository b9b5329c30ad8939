"""A UEM that refuses, throttles, breaks off, or does what was asked and never says so."""

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from connector.core.states import CopyState
from connector_testkit.demo.polling import until
from tests.e2e.records import agree, the_newest_came_last, uploads
from tests.e2e.states import has_copy, troubled
from tests.e2e.world import UPLOAD, World

pytestmark = pytest.mark.slow
BREAKS = [
    {"kind": "reset"},
    {"kind": "silent"},
    {"kind": "apply_reset"},
    {"kind": "apply_silent"},
]


@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: str(fault["kind"]))
async def test_upload_of_unknown_fate_is_watched_and_repeated(
    world: World, fault: dict[str, Any]
) -> None:
    """The copy is perhaps there until the upload was repeated, and is watched to its end."""
    alice = await world.person("alice")
    await world.uem.fault(path=UPLOAD, count=1, **fault)
    await world.enrol(alice)
    perhaps = has_copy(CopyState.PERHAPS)
    unknown = await world.sees(
        alice, "perhaps, without an act", lambda state: perhaps(state) and not state.running
    )
    assert unknown.copy_.not_after is not None
    await world.sees(alice, "present", has_copy(CopyState.PRESENT))
    await world.reads_all(alice)
    await world.completed(alice)
    applied = fault["kind"].startswith("apply")
    assert len(await uploads(world, alice)) == 1 + applied
    await the_newest_came_last(world, alice)
    await agree(world)


@pytest.mark.parametrize("status", [500, 503])
async def test_an_upload_that_was_answered_with_a_fault_is_sent_again(
    world: World, status: int
) -> None:
    """By the same process while it has time, else by the next one; nothing was taken before."""
    alice = await world.person("alice")
    await world.uem.fault(path=UPLOAD, count=1, kind="error", status=status)
    await world.enrol(alice)
    await world.sees(alice, "present", has_copy(CopyState.PRESENT))
    await world.reads_all(alice)
    await world.completed(alice)
    assert len(await uploads(world, alice)) == 1
    await agree(world)


async def test_refused_once(world: World) -> None:
    """One 401 holds the route for a moment; no attempt is used up."""
    alice = await world.person("alice")
    await world.uem.fault("unauthorized", count=1)
    await world.enrol(alice)
    await world.completed(alice)
    await world.reads_all(alice)
    assert [line["error_code"] for line in world.alarms()] == ["UEM-401"]


async def test_refused_until_the_credentials_are_corrected(world: World) -> None:
    """One alarm, no attempt used up; it goes on by itself when the mounted file changes."""
    people = [await world.person(name) for name in ("alice", "bob", "carol")]
    await world.enrol(people[0])
    await world.completed(people[0])
    changed = "another-password-of-the-api-account"
    world.secrets.values["changed"] = changed
    await world.uem.accept(password=changed)
    for actor in people:
        await world.enrol(actor)
    refused = await refusals(world, 3)
    assert await uploads(world, people[1]) == []
    for actor in people:
        for number in actor.devices[-1:]:
            device = world.journal.device(number)
            assert device is not None
            assert device.attempts == 0
    assert [line["error_code"] for line in world.alarms()] == ["UEM-401"]
    assert len(refused) < 10
    world.secrets.api_password.write_text(f"{changed}\n", encoding="utf-8")
    for actor in people:
        await world.reads_all(actor)
        await world.completed(actor)


async def refusals(world: World, count: int) -> list[dict[str, Any]]:
    """Wait for that number of requests that were answered 401."""

    async def look() -> list[dict[str, Any]] | None:
        found = [one for one in await world.uem.ledger("request") if one["status"] == 401]
        return found if len(found) >= count else None

    return await until(f"{count} refusals", look)


@pytest.mark.parametrize("asked", [None, "3"])
async def test_throttled(world: World, asked: str | None) -> None:
    """A UEM that asks to slow down is left alone for as long as it asks, by all processes.

    A short wait is no outage: the look that was asked to wait goes on afterwards.
    """
    people = [await world.person(name) for name in ("alice", "bob")]
    await world.uem.fault("throttled", count=1, retry_after=asked)
    for actor in people:
        await world.enrol(actor)
    for actor in people:
        await world.completed(actor)
        await world.reads_all(actor)
    assert not world.alarms()
    times = [datetime.fromisoformat(one["real"]) for one in await world.uem.ledger("request")]
    longest = max((later - earlier).total_seconds() for earlier, later in pairwise(times))
    assert longest >= float(asked or 1)


@pytest.mark.parametrize("status", [500, 503])
async def test_looks_fail(world: World, status: int) -> None:
    """A UEM that breaks down while it is only asked costs time and nothing else."""
    alice = await world.person("alice")
    await world.uem.fault("error", method="GET", status=status, count=2)
    await world.enrol(alice)
    state = await world.completed(alice)
    assert state.delivery is not None
    assert state.delivery.previous is None
    await world.reads_all(alice)
    await agree(world)


async def test_push_fails(world: World) -> None:
    """A profile that could not be pushed after a second upload is pushed again."""
    alice = await world.person("alice")
    await world.enrol(alice)
    await world.reads_all(alice)
    await world.uem.fault("error", method="POST", path="/install", status=503, count=2)
    await world.ca.renew(alice.name)
    await world.mails(alice)
    await world.reads_all(alice)
    await world.completed(alice)
    await the_newest_came_last(world, alice)
    failed = [one for one in await world.uem.ledger("request") if one["fault"] == "error"]
    assert len(failed) == 2
    await agree(world)


async def test_administrator_gives_a_user_anothers_mail(world: World) -> None:
    """Write access to a user's mail address is not enough to receive another user's keys."""
    alice, mallory = await world.person("alice"), await world.person("mallory")
    await world.enrol(mallory)
    await world.completed(mallory)
    await world.uem.change_user(mallory.user, email=alice.address)
    await world.uem.change_user(alice.user, email=mallory.address)
    before = len(await world.uem.ledger("upload"))
    await world.enrol(mallory)
    await world.enrol(alice)
    async with asyncio.TaskGroup() as group:
        pinned = group.create_task(world.failed(mallory, "IDN-001"))
        group.create_task(world.failed(alice, "IDN-002"))
    identity = pinned.result().identity
    assert identity is not None
    assert identity.pinned.agreeing == mallory.address
    assert len(await world.uem.ledger("upload")) == before
    await agree(world)


async def test_another_device_is_compromised(world: World) -> None:
    """As long as any device of the user is compromised, nothing leaves escrow."""
    alice = await world.person("alice")
    bad = await world.uem.enrol(alice.user, event=False)
    await world.uem.change_device(bad, compromised=True, event=False)
    await world.enrol(alice)
    await world.sees(alice, "held", troubled("USR-005"))
    assert await world.uem.ledger("upload") == []
    assert [one for one in await world.ca.ledger() if one.operation.value == "fetch"] == []
    await world.uem.change_device(bad, compromised=False)
    alice.devices.append(bad)
    await world.reads_all(alice)
    await world.completed(alice)
    await agree(world)
