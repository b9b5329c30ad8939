"""What happens to people, devices and certificates while keys are on their way."""

import pytest

from connector.core.states import (
    CopyState,
    DevicePhase,
    HolderState,
    Phase,
    Trigger,
)
from connector_testkit.demo.people import readable
from connector_testkit.simulators.ca.commands import Lie, LieOrder, Operation
from connector_testkit.simulators.uem.tenant import PROFILE
from tests.e2e.conftest import Start
from tests.e2e.records import agree, the_newest_came_last, uploads
from tests.e2e.states import has_copy, in_phase, is_handing_over
from tests.e2e.world import THREE, UPLOAD, World, route

pytestmark = pytest.mark.slow


def one_installed(state: HolderState) -> bool:
    """Whether the renewal has reached a device, but not all."""
    delivery = state.delivery
    if delivery is None or delivery.trigger is not Trigger.RENEWAL:
        return False
    return any(device.phase is DevicePhase.INSTALLED for device in delivery.devices.values())


def has_code(state: HolderState, code: str) -> bool:
    """Whether a device of the newest delivery shows why it waits."""
    devices = state.delivery.devices.values() if state.delivery else ()
    return any(device.code == code for device in devices)


def is_missing(state: HolderState) -> bool:
    """Whether a device that had its set shows the profile as not installed."""
    return any(known.missing_since is not None for known in state.devices.values())


async def test_second_device_joins_while_the_copy_is_there(start: Start) -> None:
    """It takes the set that the UEM still holds; nothing leaves escrow once more."""
    world = await start(route(retention="8s"), {"retention": 8.0})
    alice = await world.person("alice", THREE)
    await world.enrol(alice)
    await world.sees(alice, "awaiting purge", in_phase(Phase.AWAITING_PURGE))
    await world.enrol(alice)
    await world.reads_all(alice)
    state = await world.completed(alice)
    assert state.delivery is not None
    phases = {device.phase for device in state.delivery.devices.values()}
    assert phases == {DevicePhase.INSTALLED}
    assert len(state.delivery.devices) == 2
    assert len(await uploads(world, alice)) == 1
    await agree(world)


async def test_a_failed_installation_is_pushed_again(start: Start) -> None:
    """The device takes the set of the same upload, as soon as it can."""
    slow = {"first": "500ms", "cap": "2s"}
    world = await start(route(retention="120s", look_every=slow), {"retention": 120.0})
    alice = await world.person("alice", THREE)
    device = await world.enrol(alice, install_outcome="failed")
    await world.sees(alice, "failed", lambda state: has_code(state, "INS-001"))
    await world.uem.change_device(device, install_outcome="installed")
    await world.reads_all(alice)
    await world.sees(alice, "awaiting purge", in_phase(Phase.AWAITING_PURGE))
    assert len(await uploads(world, alice)) == 1


async def test_a_lost_profile_is_delivered_again(world: World) -> None:
    """Taken off the device and assigned again after the purge, it has no certificates any more."""
    alice = await world.person("alice", THREE)
    device = await world.enrol(alice)
    await world.completed(alice)
    await world.uem.remove_profile(device, PROFILE)
    await world.uem.assign_profile(device, PROFILE)
    await world.uem.change_device(device, compliance="NonCompliant")
    await world.sees(alice, "missing", is_missing)
    for online in (False, True):  # the device reports once more, and still has nothing
        await world.uem.change_device(device, online=online)
    await world.sees(alice, "delivered again", lambda state: bool(state.history))
    await world.reads_all(alice)
    await world.completed(alice)
    assert len(await uploads(world, alice)) == 2
    await agree(world)


async def test_hints_are_doubled_and_lost(world: World) -> None:
    """One enrolment reported four times is one; one that was not reported joins with the next."""
    alice = await world.person("alice")
    for fault in ("second_spelling", "duplicate"):
        await world.uem.webhook_fault(fault)
    await world.enrol(alice, event=False)
    await world.enrol(alice)
    await world.reads_all(alice)
    state = await world.completed(alice)
    assert len(state.devices) == 2
    told = [entry["status"] for entry in await world.uem.ledger("webhook") if "device" in entry]
    assert told == [200] * 4
    opened = [one for one in world.journal.audit() if one.entry.action == "delivery.opened"]
    assert len(opened) == len(await uploads(world, alice)) == 1
    await agree(world)


async def test_device_changes_hands(world: World) -> None:
    """The new owner reads only their own mail on it."""
    alice, bob = await world.person("alice"), await world.person("bob")
    device = await world.enrol(alice)
    await world.reads_all(alice)
    await world.uem.change_device(device, user=bob.user)
    alice.devices.remove(device)
    bob.devices.append(device)
    await world.reads_all(bob)
    assert await readable(world, alice, device) == 0
    await world.sees(alice, "has no device", lambda state: not state.devices)
    await world.sees(alice, "gone", has_copy(CopyState.GONE))
    await world.completed(bob)
    await agree(world)


async def test_device_leaves_during_the_hand_over(world: World) -> None:
    """The delivery ends as left; the copy that came of it is watched to its end."""
    alice = await world.person("alice")
    await world.uem.fault("slow", path=UPLOAD, seconds=1.0)
    device = await world.enrol(alice)
    await world.sees(alice, "hands over", is_handing_over)
    await world.uem.unenrol(device)
    state = await world.sees(
        alice, "gone", lambda state: state.copy_.state is CopyState.GONE and not state.devices
    )
    assert state.delivery is not None
    assert (state.delivery.phase, state.delivery.why) == (Phase.CANCELLED, "left")
    assert state.copy_.evidence
    assert len(await uploads(world, alice)) == 1
    await agree(world)


async def test_renewal_during_the_hand_over(world: World) -> None:
    """The changed set supersedes the delivery as soon as the act has ended, and comes last."""
    alice = await world.person("alice", THREE)
    await world.uem.fault("slow", path=UPLOAD, seconds=1.0)
    device = await world.enrol(alice)
    await world.ca.wait_for(Operation.FETCH, 4)  # the list was compared before
    renewed = await world.ca.renew(alice.name)
    await world.mails(alice)
    await world.reads_all(alice)
    state = await world.completed(alice)
    assert state.delivery is not None
    assert state.delivery.trigger is Trigger.RENEWAL
    assert state.delivery.current is not None
    assert state.delivery.current.fingerprint == renewed.fingerprint
    assert [(ended.phase, ended.why) for ended in state.history] == [
        (Phase.CANCELLED, "superseded")
    ]
    pushes = [one for one in await world.uem.ledger("install") if one["device"] == device]
    assert pushes[-1]["why"] == "asked"
    await the_newest_came_last(world, alice)
    await agree(world)


async def test_a_device_without_the_profile_keeps_no_other_from_its_push(world: World) -> None:
    """The profile was removed from one device: the UEM refuses the push there, and only there."""
    alice = await world.person("alice")
    first, second = [await world.enrol(alice) for _ in range(2)]
    await world.completed(alice)
    await world.uem.remove_profile(first, PROFILE)
    await world.ca.renew(alice.name)
    await world.mails(alice)
    state = await world.sees(alice, "one device has it", one_installed)
    assert state.delivery is not None
    phases = {key: device.phase for key, device in state.delivery.devices.items()}
    assert phases == {
        f"acme-uem/device/{first}": DevicePhase.WAITING,
        f"acme-uem/device/{second}": DevicePhase.INSTALLED,
    }
    assert state.delivery.trouble is not None
    assert state.delivery.trouble.code == "UEM-404"
    assert await readable(world, alice, second) == len(alice.mails)
    await agree(world)


async def test_copy_expires_while_the_device_is_away(world: World) -> None:
    """When the device is seen again the set is sent again, and it takes it."""
    alice = await world.person("alice")
    device = await world.enrol(alice, online=False)
    await world.sees(alice, "gone", has_copy(CopyState.GONE))
    await world.uem.change_device(device, online=True)
    await world.reads_all(alice)
    state = await world.completed(alice)
    assert state.delivery is not None
    (entry,) = state.delivery.devices.values()
    assert (entry.phase, entry.expired_rounds) == (DevicePhase.INSTALLED, 1)
    assert len(await uploads(world, alice)) == 2
    await agree(world)


async def test_observed_only(start: Start) -> None:
    """Everything is planned and shown; no recovery is begun and nothing is fetched."""
    world = await start(route(mode="observe"))
    alice = await world.person("alice", THREE)
    await world.enrol(alice)
    state = await world.sees(alice, "cancelled", in_phase(Phase.CANCELLED))
    assert state.delivery is not None
    assert len(state.delivery.entries) == 4
    asked = {entry.operation for entry in await world.ca.ledger()}
    assert asked == {Operation.LIST, Operation.REQUESTS}
    assert await world.uem.ledger("upload") == []


async def test_clock_of_the_uem_is_turned(world: World) -> None:
    """While the clocks disagree there is an alarm and no conclusion; then the copy is gone."""
    alice = await world.person("alice")
    await world.enrol(alice)
    await world.sees(alice, "present", has_copy(CopyState.PRESENT))
    await world.uem.set_clock(3600)
    state = await world.sees(alice, "disagree", lambda state: state.copy_.clocks_disagree)
    assert state.copy_.state is CopyState.PRESENT
    assert await world.uem.copies() == []
    looks = state.copy_.attempts
    still = await world.sees(alice, "looks on", lambda state: state.copy_.attempts > looks + 2)
    assert still.copy_.state is CopyState.PRESENT
    alarms = [one.entry for one in world.journal.audit() if one.entry.outcome == "PRG-002"]
    assert [entry.action for entry in alarms] == ["copy.clocks_disagree"]
    await world.uem.set_clock(0)
    await world.sees(alice, "gone", has_copy(CopyState.GONE))


async def test_paused(world: World) -> None:
    """A pause holds every act, over a restart too; what was held goes on after it."""
    alice = await world.person("alice")
    code, _ = await world.connector.tell("pause", "--reason", "trying the brake")
    assert code == 0
    await world.enrol(alice)
    await world.sees(alice, "waits to begin", lambda state: bool(state.generations))
    await world.cut(everything=True)
    await world.back()
    bob = await world.person("bob")
    await world.enrol(bob)
    await world.sees(bob, "waits to begin", lambda state: bool(state.generations))
    asked = {entry.operation for entry in await world.ca.ledger()}
    assert asked == {Operation.LIST, Operation.REQUESTS}
    assert await world.uem.ledger("upload") == []
    code, _ = await world.connector.tell("resume", "--reason", "it holds")
    assert code == 0
    await world.all_read()
    await agree(world)


async def test_pause_ends_what_is_not_sent_yet(world: World) -> None:
    """A hand-over that still fetches is ended by a pause; it costs no key a second time."""
    alice = await world.person("alice")
    await world.ca.lie(LieOrder(lie=Lie.STALL))
    await world.enrol(alice)
    await world.sees(alice, "hands over", is_handing_over)
    await world.ca.wait_for(Operation.FETCH, 1)
    code, _ = await world.connector.tell("pause", "--reason", "trying the brake")
    assert code == 0
    state = await world.sees(
        alice, "ended", lambda state: state.running is None and state.copy_.state is CopyState.NONE
    )
    assert state.delivery is not None
    assert state.delivery.trouble is not None
    assert state.delivery.trouble.code == "HND-006"
    await world.ca.be_honest()
    await world.connector.tell("resume", "--reason", "it holds")
    await world.reads_all(alice)
    await agree(world)


@pytest.mark.parametrize("shows", ["nothing", "registered"])
async def test_the_interface_knows_an_enrolment_later_than_its_event(
    start: Start, shows: str
) -> None:
    """It is looked at again until it is there; the enrolment is not given up before."""
    world = await start({}, {"interface_lag": 3.0, "lag_shows": shows})
    alice = await world.person("alice")
    await world.enrol(alice)
    await world.reads_all(alice)
    await world.completed(alice)
    await agree(world)
