"""Three records of one story: what was answered 2xx, what CA and UEM saw, what the journal says."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from connector.core.audit import AuditEntry, AuditRecord, verify
from connector.core.model import SetEntry, set_digest
from connector.core.secret import Credential
from connector.demo.cast import Actor, encryption_certificates
from connector.intake.workspace_one import TIME_DIGITS
from connector.simulators.ca.commands import Operation
from connector.workspace_one_times import read_time
from tests.e2e.world import World

Facts = dict[str, Any]


async def agree(world: World) -> None:
    """Compare all three."""
    await nothing_accepted_was_lost(world)
    await every_upload_was_announced(world)
    await every_fetch_was_announced(world)
    the_chain_is_whole(world)


async def nothing_accepted_was_lost(world: World) -> None:
    """For each happening that was answered 2xx there is an event in the journal, and but one.

    The id of a UEM's event begins with the sender's time of the happening; of a CA's event the
    audit trail tells that it was understood.
    """
    accepted = {
        (entry["device"], entry["event"], entry["time"])
        for entry in await world.uem.ledger("webhook")
        if entry["status"] == HTTPStatus.OK and entry["event"] != "test"
    }
    wanted = Counter(f"{read_time(time) or 0:0{TIME_DIGITS}x}" for _, _, time in accepted)
    assert wanted <= Counter(taken[:TIME_DIGITS] for taken in world.journal.events())
    told = Counter(
        f"acme-ca/person/{one.person}"
        for one in await world.ca.notifications()
        if one.status == HTTPStatus.ACCEPTED
    )
    assert told == Counter(
        record.entry.subject
        for record in world.journal.audit()
        if record.entry.action == "person.certificates_changed"
    )


async def every_upload_was_announced(world: World) -> None:
    """Before each upload there is its own audit record, of that holder and exactly that set."""
    trail = world.journal.audit()
    for actor in world.actors:
        announced = [(entry.at, entry.details["digest"]) for entry in _started(trail, actor.holder)]
        for upload in await uploads(world, actor):
            fitting = [at for at, digest in announced if digest == _digest(upload)]
            arrived = datetime.fromisoformat(upload["real"]).timestamp() * 1000
            assert fitting, upload
            assert fitting[0] <= arrived
            announced.remove((fitting[0], _digest(upload)))


async def every_fetch_was_announced(world: World) -> None:
    """No key left escrow that an audit record had not named before, often enough."""
    trail = world.journal.audit()
    named = [
        fingerprint
        for actor in world.actors
        for entry in _started(trail, actor.holder)
        for fingerprint in entry.generations
    ]
    for entry in await world.ca.ledger():
        if entry.operation is Operation.FETCH and entry.fingerprint is not None:
            assert entry.fingerprint in named
            named.remove(entry.fingerprint)


def the_chain_is_whole(world: World) -> None:
    """Every partition's audit trail is unbroken, up to the head and count that it published."""
    key = Credential(Path(world.secrets.audit_key).read_text(encoding="utf-8").rstrip("\n"))
    for record in world.journal.records():
        chain = world.journal.audit(record.partition)
        published = {"head": record.audit_head, "count": record.audit_count}
        assert list(verify(key, record.partition, chain, **published)) == []  # type: ignore[arg-type]


async def uploads(world: World, actor: Actor) -> list[Facts]:
    """What the UEM took for a user, oldest first."""
    return [entry for entry in await world.uem.ledger("upload") if entry["user"] == actor.user]


async def the_newest_came_last(world: World, actor: Actor) -> None:
    """The last set that the UEM took holds everything, the newest certificate as the current."""
    every = await encryption_certificates(world, actor)
    last = (await uploads(world, actor))[-1]
    sent = {pair["fingerprint"]: pair["slot"] for pair in last["slots"]}
    assert {one.fingerprint for one in every} <= set(sent)
    newest = max(every, key=lambda one: one.not_before)
    assert sent[newest.fingerprint] == "encryption"


def _digest(upload: Facts) -> str:
    return set_digest(
        SetEntry(slot=pair["slot"], fingerprint=pair["fingerprint"], public_key=pair["public_key"])
        for pair in upload["slots"]
    )


def _started(trail: Iterable[AuditRecord], holder: str) -> list[AuditEntry]:
    """The audit entries of hand-overs of one holder."""
    entries = (record.entry for record in trail)
    return [one for one in entries if (one.subject, one.action) == (holder, "hand_over.started")]
