"""Three records of one story: what was answered 2xx, what CA and UEM saw, what the journal says."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from connector.core.audit import AuditEntry, AuditRecord, verify
from connector.core.journal import PartitionRecord
from connector.core.model import SetEntry, Usage, set_digest
from connector.core.secret import Credential
from connector.integrations.workspace_one.notifications import TIME_DIGITS
from connector.integrations.workspace_one.times import read_time
from connector_testkit.demo.people import Actor
from connector_testkit.demo.polling import until
from connector_testkit.demo.settings_file import Secrets
from connector_testkit.simulators.ca.commands import CertificateInfo, Operation
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.uem.control import UemControl

Facts = dict[str, Any]


class Journal(Protocol):
    """What a journal says, read from outside."""

    def events(self) -> set[str]:
        """The ids of all events that were ever taken."""
        ...

    def records(self) -> list[PartitionRecord]:
        """What each partition says of itself."""
        ...

    def audit(self, partition: int | None = None) -> list[AuditRecord]:
        """The audit trail, of one partition or of all."""
        ...


class Witnesses(Protocol):
    """All services that can be asked. ``actors`` is whom it is about."""

    ca: CaControl
    uem: UemControl
    secrets: Secrets
    actors: list[Actor]

    @property
    def journal(self) -> Journal:
        """The journal of either kind."""
        ...


async def agree(world: Witnesses) -> None:
    """Compare all three."""
    await nothing_accepted_was_lost(world)
    await every_upload_was_announced(world)
    await every_fetch_was_announced(world)
    the_chain_is_whole(world)


async def nothing_accepted_was_lost(world: Witnesses) -> None:
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


async def every_happening_was_taken(world: Witnesses) -> None:
    """Wait until the UEM has had a 2xx for each happening, whichever try it was.

    What it gave up would be lost news, and no test of the service.

    Raises:
        TimeoutError: one was refused to the end; a note tells which, and its last answer.
    """
    last: dict[tuple[str, str, str], int | None] = {}

    async def look() -> bool:
        for entry in await world.uem.ledger("webhook"):
            last[entry["device"], entry["event"], entry["time"]] = entry["status"]
        return all(status == HTTPStatus.OK for status in last.values())

    try:
        await until("the UEM is rid of its notifications", look)
    except TimeoutError as error:
        left = {each: status for each, status in last.items() if status != HTTPStatus.OK}
        error.add_note(f"not taken: {left}")
        raise


async def every_upload_was_announced(world: Witnesses) -> None:
    """Before each upload there is its own audit record, of that holder and exactly that set."""
    started = _started(world)
    for user, taken in (await all_uploads(world)).items():
        announced = [(one.at, one.details["digest"]) for one in started[f"acme-uem/user/{user}"]]
        for upload in taken:
            fitting = [at for at, digest in announced if digest == digest_of(upload)]
            arrived = datetime.fromisoformat(upload["real"]).timestamp() * 1000
            assert fitting, upload
            assert fitting[0] <= arrived
            announced.remove((fitting[0], digest_of(upload)))


async def every_fetch_was_announced(world: Witnesses) -> None:
    """No key left escrow that an audit record had not named before, often enough."""
    named = Counter(
        fingerprint
        for entries in _started(world).values()
        for entry in entries
        for fingerprint in entry.generations
    )
    fetched = Counter(
        entry.fingerprint
        for entry in await world.ca.ledger()
        if entry.operation is Operation.FETCH and entry.fingerprint is not None
    )
    assert fetched <= named


def the_chain_is_whole(world: Witnesses) -> None:
    """Every partition's audit trail is unbroken, up to the head and count that it published."""
    key = Credential(Path(world.secrets.audit_key).read_text(encoding="utf-8").rstrip("\n"))
    for record in world.journal.records():
        chain = world.journal.audit(record.partition)
        published = {"head": record.audit_head, "count": record.audit_count}
        assert list(verify(key, record.partition, chain, **published)) == []  # type: ignore[arg-type]


async def all_uploads(world: Witnesses) -> dict[int, list[Facts]]:
    """What the UEM took for each user, oldest first."""
    taken: dict[int, list[Facts]] = defaultdict(list)
    for entry in await world.uem.ledger("upload"):
        taken[entry["user"]].append(entry)
    return taken


async def uploads(world: Witnesses, actor: Actor) -> list[Facts]:
    """What the UEM took for a user, oldest first."""
    return (await all_uploads(world))[actor.user]


async def the_newest_came_last(world: Witnesses, actor: Actor) -> None:
    """The last set that the UEM took holds everything, the newest certificate as the current."""
    is_the_newest((await uploads(world, actor))[-1], await world.ca.certificates(actor.name))


def is_the_newest(upload: Facts, issued: Iterable[CertificateInfo]) -> None:
    """A set holds all of a person's encryption certificates, the newest as the current one."""
    every = [one for one in issued if one.usage is not Usage.SIGNING]
    sent = {pair["fingerprint"]: pair["slot"] for pair in upload["slots"]}
    assert {one.fingerprint for one in every} <= set(sent)
    current = next(one for one in every if sent[one.fingerprint] == "encryption")
    # Of whole seconds there may be several.
    assert current.not_before == max(one.not_before for one in every)


def digest_of(upload: Facts) -> str:
    """The digest of the set that an upload carried, as state and audit name it."""
    return set_digest(
        SetEntry(slot=pair["slot"], fingerprint=pair["fingerprint"], public_key=pair["public_key"])
        for pair in upload["slots"]
    )


def _started(world: Witnesses) -> dict[str, list[AuditEntry]]:
    """The audit entries of hand-overs by holder."""
    started: dict[str, list[AuditEntry]] = defaultdict(list)
    for record in world.journal.audit():
        if record.entry.action == "hand_over.started":
            started[record.entry.subject].append(record.entry)
    return started
