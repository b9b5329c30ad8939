"""What must be true of every single change of a state, from any cause."""

from typing import Protocol

from pydantic import TypeAdapter

from connector.core.events import Event, GenerationDropped, IdentityForgotten
from connector.core.facts import CopyLookedAt, Fact, HandedOver, Looked, Parts
from connector.core.model import Millis, SubjectKey, parse_subject
from connector.core.ports import GoneLook
from connector.core.states import CopyState, DevicePhase, HolderState, Phase, State
from tests.core.upstreams import RETENTION, Uem

STATE: TypeAdapter[State] = TypeAdapter(State)


class World(Protocol):
    uem: Uem
    now: Millis
    may_upload_until: dict[SubjectKey, Millis]


def hold_promises(before: State, after: State, fact: Fact, world: World) -> None:
    """Raise AssertionError for a change that no history may bring."""
    stored_is_in_hand(after)
    if not isinstance(before, HolderState) or not isinstance(after, HolderState):
        return
    stale_changes_nothing(before, fact)
    what_ended_stays_ended(before, after)
    no_dead_end(after)
    history_only_grows(before, after, fact)
    copy_is_watched(before, after, fact, world)
    copy_is_known(after, world)
    installed_is_true(before, after, world)
    what_devices_have_is_true(after, world)
    assert len(after.history) <= 20
    assert len(after.automatic) <= 100


def stored_is_in_hand(after: State) -> None:
    """An owner goes on with the state in memory, its successor with the one that is stored."""
    found = STATE.validate_json(STATE.dump_json(after, by_alias=True))
    assert found == after
    assert found.model_dump() == after.model_dump()


def stale_changes_nothing(before: HolderState, fact: Fact) -> None:
    """Called only after a change: the fact must have been worth one."""
    if isinstance(fact, Looked):
        assert fact.basis == before.version, "a stale look changed something"
    if isinstance(fact, HandedOver | Parts):
        assert before.running is not None, "an outcome without an act changed something"
        assert fact.attempt == before.running.attempt, "a stale outcome changed something"


def what_ended_stays_ended(before: HolderState, after: HolderState) -> None:
    deliveries = [*after.history, *([after.delivery] if after.delivery else [])]
    now = {delivery.id: delivery for delivery in deliveries}
    for delivery in [*before.history, *([before.delivery] if before.delivery else [])]:
        if not delivery.open and delivery.id in now:
            assert now[delivery.id].phase is delivery.phase
    assert sum(delivery.open for delivery in deliveries) <= 1
    for delivery in deliveries:
        waits = any(one.phase is DevicePhase.WAITING for one in delivery.devices.values())
        assert delivery.open or not waits, "a device waits in a delivery that has ended"


def no_dead_end(after: HolderState) -> None:
    if after.delivery is not None and after.delivery.open:
        assert after.wants, f"nothing is awaited in {after.delivery.phase}"
    if after.running is not None or after.requests:
        assert after.wants
    ends = after.copy_.retention_from != "kept"
    if ends and after.copy_.state in {CopyState.PERHAPS, CopyState.PRESENT}:
        assert after.wants, "the copy is not watched"


def history_only_grows(before: HolderState, after: HolderState, fact: Fact) -> None:
    body = fact.body if isinstance(fact, Event) else None
    if isinstance(body, GenerationDropped | IdentityForgotten):
        return
    assert {one.public_key for one in before.delivered} <= {
        one.public_key for one in after.delivered
    }


def copy_is_watched(before: HolderState, after: HolderState, fact: Fact, world: World) -> None:
    """Gone is said no earlier than it is true on the UEM's clock, and never while clocks differ."""
    if after.copy_.state is not CopyState.GONE or before.copy_.state is CopyState.GONE:
        return
    if before.running is not None:  # proven: nothing was sent, so the copy is as it was before
        return
    assert isinstance(fact, CopyLookedAt)
    assert isinstance(fact.answer, GoneLook)
    looked_at = fact.answer.server_time or 0
    assert abs(looked_at - world.now) <= 300_000, "concluded while the clocks disagree"
    user = parse_subject(after.key).id
    uploads = [upload for upload in world.uem.ledger if upload.user == user]
    if uploads:
        kept = max(looked_at - uploads[-1].at, world.now - uploads[-1].real)
        assert kept >= RETENTION, f"gone too early, after {kept} ms"


def copy_is_known(after: HolderState, world: World) -> None:
    """While the UEM holds a set, the state never says that it holds none."""
    user = parse_subject(after.key).id
    uploads = [upload for upload in world.uem.ledger if upload.user == user]
    if (
        uploads
        and world.now < uploads[-1].real + RETENTION
        and world.uem.now < (uploads[-1].at + RETENTION)
    ):
        assert after.copy_.state in {CopyState.PERHAPS, CopyState.PRESENT}


def installed_is_true(before: HolderState, after: HolderState, world: World) -> None:
    """A device is called installed only if it took exactly this set."""
    delivery = after.delivery
    if delivery is None or delivery.phase is Phase.PLANNING:
        return
    for key, device in delivery.devices.items():
        known = before.delivery.devices.get(key) if before.delivery else None
        news = known is None or known.phase is not DevicePhase.INSTALLED
        if device.phase is DevicePhase.INSTALLED and news:
            taken = (parse_subject(key).id, delivery.digest or "")
            assert taken in world.uem.ever_installed, "called installed without the set"


def what_devices_have_is_true(after: HolderState, world: World) -> None:
    """A set is remembered of a device only if it took exactly this one."""
    for key, known in after.devices.items():
        if known.has is not None:
            taken = (parse_subject(key).id, known.has.digest)
            assert taken in world.uem.ever_installed, "a set is remembered that never arrived"
            assert known.has.digest in after.sets, "the contents of the set were forgotten"
    assert len(after.sets) <= len(after.devices)
