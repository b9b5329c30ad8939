"""What must be true of topics, ledgers and states when a storm is over."""

from collections import Counter, defaultdict
from http import HTTPStatus
from itertools import pairwise

from connector.core.states import CopyState, DeviceStatus, HolderState
from connector.integrations.workspace_one.times import read_time
from connector.journal.kafka.records import remembered
from connector_testkit.demo.people import Actor
from tests.e2e.records import Facts, all_uploads, digest_of, is_the_newest
from tests.kafka.chaos.topics import Topics
from tests.kafka.chaos.world import ChaosWorld

AT_REST = frozenset({CopyState.NONE, CopyState.GONE})


async def accepted(world: ChaosWorld) -> set[tuple[int, int]]:
    """What the UEM was answered 2xx for: device and time, in milliseconds."""
    return {
        (int(entry["device"]), read_time(entry["time"]) or 0)
        for entry in await world.uem.ledger("webhook")
        if entry["status"] == HTTPStatus.OK
    }


async def every_accepted_event_was_consumed(world: ChaosWorld) -> None:
    """Each is in its topic, was read in a round that was committed, and its subject remembers."""
    topics = world.journal
    assert topics.unread() == []
    by_place = {
        (int(one.event.subject.rpartition("/")[2]), one.event.occurred_at): one.event
        for one in topics.taken
        if one.event.source == "workspace-one"
    }
    for place in await accepted(world):
        event = by_place[place]
        record = topics.newest(event.subject)
        assert record is not None
        assert event.id in remembered(record.head.seen)


def order_was_kept(topics: Topics) -> None:
    """Each subject consumed its events in the order of the topic, and each of them once."""
    first: dict[tuple[str, str], int] = {}
    for one in topics.taken:
        first.setdefault((one.event.subject, one.event.id), one.position)
    for subject, history in topics.by_subject():
        consumed: dict[str, None] = {}
        for record in history:
            consumed |= dict.fromkeys(remembered(record.head.seen))
        places = [first[subject, name] for name in consumed]
        assert places == sorted(places), subject


def no_version_was_written_twice(topics: Topics) -> None:
    """Every written state builds on the one before it, and none was written behind a fence."""
    for subject, history in topics.by_subject():
        for before, after in pairwise(record.head for record in history):
            assert after.version == before.version + 1, subject
            assert after.epoch >= before.epoch, subject
    rounds = defaultdict(list)
    for one in topics.own:
        rounds[one.partition].append(one.parse())
    for own in rounds.values():
        for last, this in pairwise(own):
            assert (this.epoch, this.commits) > (last.epoch, last.commits)
            assert this.position >= last.position
            assert this.audit_count >= last.audit_count


def one_act_at_a_time(topics: Topics) -> None:
    """A holder's hand-over begins only when the one before has its outcome in the audit trail."""
    under_way: dict[str, object] = {}
    for record in topics.audit():
        entry, attempt = record.entry, record.entry.details.get("attempt")
        if entry.action == "hand_over.started":
            assert entry.subject not in under_way, (entry, under_way[entry.subject])
            under_way[entry.subject] = attempt
        elif entry.action.startswith("hand_over."):
            assert under_way.pop(entry.subject) == attempt, entry
    assert under_way == {}


async def sets_only_grew(world: ChaosWorld) -> None:
    """No user got an older set after a newer one, nor the same one with another digest."""
    for taken in (await all_uploads(world)).values():
        for before, after in pairwise(taken):
            assert _fingerprints(before) <= _fingerprints(after), after
            if _fingerprints(before) == _fingerprints(after):
                assert digest_of(before) == digest_of(after)


async def ledgers_agree_with_states(world: ChaosWorld) -> None:
    """The last set of each user is complete, the state names it, and all devices hold it."""
    taken = await all_uploads(world)
    issued = defaultdict(list)
    for one in await world.ca.certificates():
        issued[one.person].append(one)
    held = {device["id"]: device["held"] for device in await world.uem.devices()}
    for actor in world.actors:
        state = world.journal.holder(actor.holder)
        if not taken[actor.user]:
            assert not actor.devices
            continue
        last = taken[actor.user][-1]
        assert state is not None
        assert state.last_digest == digest_of(last)
        for device in actor.devices:
            assert held[device]["slots"] == last["slots"], (actor.name, device)
        if actor.devices:
            is_the_newest(last, issued[actor.name])


def restless(world: ChaosWorld) -> Counter[str]:
    """What is not at rest yet: how many of what."""
    found: Counter[str] = Counter()
    found["events"] = len(world.journal.unread())
    for actor in world.actors:
        found[_unrest(world.journal, actor)] += 1
    del found[""]
    return +found


def _unrest(topics: Topics, actor: Actor) -> str:
    """What this holder waits for; empty at rest."""
    state = topics.holder(actor.holder)
    if state is None:
        return "a holder unknown" if actor.devices else ""
    known = {f"acme-uem/device/{device}" for device in actor.devices}
    if set(state.devices) != known:
        return "devices that joined or left"
    if not all(_found(topics, key) for key in known):
        return "devices looked for"
    return _working(state)


def _found(topics: Topics, key: str) -> bool:
    device = topics.device(key)
    return device is not None and device.status is DeviceStatus.ENROLLED


def _working(state: HolderState) -> str:
    if state.running is not None or state.check is not None or state.requests:
        return "acts and requests"
    if state.delivery is not None and state.delivery.open:
        return state.delivery.phase.value
    return "" if state.copy_.state in AT_REST else f"copy {state.copy_.state.value}"


def _fingerprints(upload: Facts) -> frozenset[str]:
    """The encryption certificates of a set."""
    return frozenset(one["fingerprint"] for one in upload["slots"] if one["slot"] != "signing")
