"""What operators do becomes an event of the subject, durable, accountable, once."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from connector.core.errors import Rejected, Transient
from connector.core.events import DeliveryRequested, Event, GenerationDropped, HumanAct, Paused
from connector.core.model import IdentityPair
from connector.core.states import HolderState, Identity, Phase
from connector.journal.sqlite import SqliteJournal
from connector.operators.client import AdminClient
from connector.operators.handlers import Caller
from connector.operators.retries import BATCH
from connector.operators.verbs.acts import (
    Act,
    Cancel,
    ConfirmIdentity,
    Deliver,
    ForgetIdentity,
    Pause,
    Resume,
    RetryMany,
    RetryOne,
)
from tests.operators.world import ANNA, ARCHIVED, PAIR, PARTITIONS, AdminWorld, holder
from tests.support import asked
from tests.support.clocks import NOW

KEY = "corp/user/12"
ME = f"local:{os.getuid()} as anna"


def in_conflict() -> HolderState:
    other = IdentityPair(person="eve", agreeing="mara@example.com")
    state = holder(identity=Identity(pinned=PAIR, pinned_at=NOW, conflicting=other))
    assert isinstance(state, HolderState)
    return state


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Deliver(holder="12", reason="new phone"), "delivery_requested"),
        (RetryOne(holder="12", reason="mended"), "retry_requested"),
        (Cancel(holder="12", reason="left the company"), "cancel_requested"),
        (
            ConfirmIdentity(
                holder="12", person="eve", agreeing="mara@example.com", reason="married"
            ),
            "identity_confirmed",
        ),
        (
            ForgetIdentity(
                holder="12", person="eve", agreeing="mara@example.com", reason="asked for"
            ),
            "identity_forgotten",
        ),
    ],
)
async def test_an_act_is_an_event_of_the_holder(
    world: AdminWorld, client: AdminClient, act: Act, kind: str
) -> None:
    """It carries who acted (user id, verified; name, not) and why."""
    await world.put(in_conflict())
    receipt = await asked.act(client, act)
    assert receipt.subjects == (KEY,)
    (event,) = await world.events(KEY)
    assert (event.source, event.received_at, event.body.kind) == ("operator", NOW, kind)
    assert isinstance(event.body, HumanAct)
    assert (event.body.by, event.body.reason) == (ME, act.reason)


async def test_the_same_key_acts_once(world: AdminWorld, client: AdminClient) -> None:
    """An act sent twice with the same key is one event; without a key it is two."""
    await world.put(holder())
    for _ in range(2):
        await asked.act(client, Deliver(holder="12"), key="again")
    assert len(await world.events(KEY)) == 1
    for _ in range(2):
        await asked.act(client, Deliver(holder="12"))
    assert len(await world.events(KEY)) == 3


async def test_a_generation_is_dropped_before_the_delivery(
    world: AdminWorld, client: AdminClient
) -> None:
    """The beginning of a fingerprint names the generation; both events come in this order."""
    await world.put(holder())
    await asked.act(
        client, Deliver(holder="12", drop_generation="BB:BB:BB:BB", reason="lost at the CA")
    )
    dropped, requested = (event.body for event in await world.events(KEY))
    assert isinstance(dropped, GenerationDropped)
    assert dropped.fingerprint == ARCHIVED
    assert isinstance(requested, DeliveryRequested)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Deliver(holder="99"), "DLV-007"),
        (Deliver(holder="elsewhere/user/12"), "DLV-007"),
        (Deliver(holder="corp/device/15"), "DLV-007"),
        (Deliver(holder="12", drop_generation="cccccccc", reason="x"), "EVT-007"),
        (Deliver(holder="12", drop_generation="bbbbbbbb"), "EVT-007"),
        (RetryOne(holder="12"), "DLV-006"),
        (Cancel(holder="12", reason="x"), "DLV-006"),
        (ConfirmIdentity(holder="12", person="eve", agreeing="e", reason="x"), "DLV-006"),
        (RetryMany(), "EVT-007"),
        (RetryMany(route="nowhere"), "EVT-007"),
        (RetryMany(code="CA-999"), "EVT-007"),
        (Pause(route="nowhere", reason="r"), "EVT-007"),
    ],
)
async def test_what_does_not_fit_is_refused_at_once(
    world: AdminWorld, client: AdminClient, act: Act, code: str
) -> None:
    """Unknown subjects, acts that do not fit the state, and incomplete ones leave no event."""
    await world.put(holder(phase=Phase.COMPLETED))
    with pytest.raises(Rejected) as refused:
        await asked.act(client, act)
    assert refused.value.code == code
    assert await world.events() == []


@pytest.mark.parametrize(
    ("person", "agreeing"), [("mara.smith", "mara@example.com"), ("eve", "eve@example.com")]
)
async def test_a_pair_that_does_not_wait_is_not_confirmed(
    world: AdminWorld, client: AdminClient, person: str, agreeing: str
) -> None:
    """What waits at that moment is not what the person looked at."""
    await world.put(in_conflict())
    act = ConfirmIdentity(holder="12", person=person, agreeing=agreeing, reason="married")
    with pytest.raises(Rejected, match=r"IDN-005.*identity show"):
        await asked.act(client, act)
    assert await world.events() == []


@pytest.mark.parametrize(
    ("person", "agreeing"), [(None, None), (PAIR.person, PAIR.agreeing), ("eve", None)]
)
async def test_forgetting_names_the_pair_that_stays(
    world: AdminWorld, client: AdminClient, person: str | None, agreeing: str | None
) -> None:
    """Where devices are left; the pinned pair is not what the UEM shows any more."""
    await world.put(in_conflict())
    forget = ForgetIdentity(holder="12", person=person, agreeing=agreeing, reason="left")
    with pytest.raises(Rejected, match=r"IDN-005.*(identity show|waits)"):
        await asked.act(client, forget)
    assert await world.events() == []


async def test_many_are_tried_again(world: AdminWorld, client: AdminClient) -> None:
    """All holders with a code, and no others."""
    await world.put(*(holder(number, Phase.FAILED) for number in range(20, 23)), holder(30))
    receipt = await asked.act(client, RetryMany(code="CA-410", reason="CA mended"))
    assert receipt.complete
    assert receipt.subjects == ("corp/user/20", "corp/user/21", "corp/user/22")
    assert {event.subject for event in await world.events()} == set(receipt.subjects)


class Stopping(SqliteJournal):
    """Takes one append, then no more."""

    stopped = False

    async def append(self, new: Sequence[Event]) -> list[bool]:
        if self.stopped:
            raise Transient("JRN-001", "appending: the disk is full")
        self.stopped = True
        return await super().append(new)


async def test_a_retry_of_many_that_stops_half_way_says_so(tmp_path: Path) -> None:
    """The durable retries are listed; the same act again reaches the rest, and none twice."""
    world = AdminWorld(tmp_path, Stopping)
    await world.open()
    number = BATCH + 3
    await world.put(*(holder(one, Phase.FAILED) for one in range(1000, 1000 + number)))
    act = RetryMany(code="CA-410", reason="CA mended")
    receipt = await world.service().retry_many(act, Caller(ANNA, "k"))
    assert not receipt.complete
    assert len(receipt.subjects) == BATCH == len(await world.events())
    await world.journal.close()
    mended = AdminWorld(tmp_path)
    await mended.journal.open()
    again = await mended.service().retry_many(act, Caller(ANNA, "k"))
    assert again.complete
    assert len(again.subjects) == number == len(await mended.events())
    await mended.journal.close()


async def test_who_is_done_is_not_tried_again(world: AdminWorld, client: AdminClient) -> None:
    """A retry by route leaves completed deliveries alone."""
    await world.put(holder(20, Phase.COMPLETED), holder(21, Phase.FAILED))
    receipt = await asked.act(client, RetryMany(route="staff"))
    assert receipt.subjects == ("corp/user/21",)


@pytest.mark.parametrize(
    ("act", "kind"),
    [(Pause(route="staff", reason="r"), "paused"), (Resume(route="staff"), "resumed")],
)
async def test_a_brake_goes_to_every_partition(
    world: AdminWorld, client: AdminClient, act: Pause | Resume, kind: str
) -> None:
    """One event to each partition, in one append."""
    receipt = await asked.act(client, act)
    assert receipt.subjects == tuple(f"-/partition/{n}" for n in range(PARTITIONS))
    bodies = [event.body for event in await world.events()]
    assert [body.kind for body in bodies] == [kind] * PARTITIONS


async def test_a_pause_without_route_is_for_all(world: AdminWorld, client: AdminClient) -> None:
    """No route means all of them."""
    await asked.act(client, Pause(reason="incident"))
    bodies = [event.body for event in await world.events()]
    assert all(isinstance(body, Paused) and body.route is None for body in bodies)
