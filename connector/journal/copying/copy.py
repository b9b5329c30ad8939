"""Copy a journal, continuing an earlier attempt.

The first commit into each partition of the target names the source; only the last one, into
partition 0, takes that name away again. In between the target cannot be served, and only a copy of
the same source, unchanged, may go on. Every step is harmless when it is done twice.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from connector.core.audit import AuditEntry
from connector.core.errors import Permanent
from connector.core.events import Event
from connector.core.feed import FeedPosition
from connector.core.journal import DeadLetterFilter, Journal
from connector.core.model import Millis, SubjectKind, subject_key
from connector.core.secret import Credential
from connector.core.states import Brakes
from connector.journal.copying.contents import Contents
from connector.journal.copying.survey import Survey
from connector.journal.copying.writer import Writer

COPIED = "journal.copied"
"""Action of the first record of each chain of a copy: ``details`` name the chains of the source."""
FINISHED = "journal.copy_finished"
Standing = Literal["empty", "begun", "finished"]
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Order:
    """An order to copy a journal: by whom, why and when; ``key`` makes the target's audit chains.

    ``trail`` is the SHA-256 of the file into which the source's audit trail was exported.
    """

    key: Credential
    by: str
    reason: str
    now: Millis
    trail: str


async def standing(target: Journal, source: str) -> Standing:
    """How far a copy of the journal that is named ``source`` has come.

    Raises:
        Permanent: ``JRN-008`` when the target holds anything else.
    """
    records = await target.records()
    if records[0].copying == source:
        return "begun"
    if records[0].copying:
        raise Permanent("JRN-008", "copying: the target holds the incomplete copy of another state")
    async for record in target.audit(0):
        if record.entry.action == COPIED and record.entry.details.get("journal") == source:
            return "finished"
        break
    if any(one.audit_count or one.position for one in records) or await _holds(target):
        raise Permanent("JRN-008", "copying: the target is not empty")
    return "empty"


async def _holds(target: Journal) -> bool:
    """Whether there are states, events or dead letters."""
    if await target.counts() or await target.dead_letters(DeadLetterFilter(limit=1)):
        return True
    return any([await target.read(number, 0, 1) for number in range(target.partitions)])


async def copy(survey: Survey, found: Contents, target: Journal, order: Order) -> Standing:
    """Write everything into a target that is empty or holds the beginning of the same copy.

    Returns how far an earlier copy had come; when it was finished, nothing is written.

    Args:
        survey: the source.
        found: its contents, recorded in the audit log at the end.
        target: open, and without an owner.
        order: by whom, why and when.
    """
    where = await standing(target, survey.name)
    if where == "finished":
        return where
    writer = Writer(target, order.key)
    await writer.take_over()
    await _begin(writer, survey, order)
    async for state in survey.states():
        await writer.put_state(state)
    async for known in survey.ids():
        await writer.put_id(known)
    await _letters(writer, survey, target)
    await writer.flush()
    await _events(survey, target, begun=where == "begun")
    await _finish(writer, survey, found, order)
    return where


async def _begin(writer: Writer, survey: Survey, order: Order) -> None:
    """Begin each chain, in rising order; brakes are in force from here on."""
    brakes = survey.folded.brakes
    chains: list[JsonValue] = [
        [one.partition, one.audit_count, one.audit_head] for one in survey.records
    ]
    details: dict[str, JsonValue] = {
        "journal": survey.name,
        "chains": chains,
        "trail": order.trail,
    }
    for number, record in enumerate(writer.records):
        if record.audit_count:
            continue
        first = number == 0
        entries = [_entry(number, COPIED, order, details)]
        held = brakes if first else brakes.model_copy(update={"disclosed": Brakes().disclosed})
        await writer.note(
            number,
            entries + (survey.folded.entries if first else []),
            brakes=held,
            time=survey.time,
            pulled=_positions(survey) if first else {},
            correction=survey.correction,
            copying=survey.name,
        )


def _positions(survey: Survey) -> dict[str, FeedPosition]:
    """Of no owner of the target, so that its first one goes on from there."""
    return {name: one.model_copy(update={"epoch": 0}) for name, one in survey.folded.pulled.items()}


async def _letters(writer: Writer, survey: Survey, target: Journal) -> None:
    """Each gets a place below zero, by its turn; those of an earlier try are there already."""
    there = {
        (letter.partition, letter.position)
        for number in range(target.partitions)
        for letter in await target.dead_letters(DeadLetterFilter(partition=number, limit=10**9))
    }
    turn = 0
    async for letter in survey.letters():
        turn += 1
        place = (turn % target.partitions, -turn)
        if place not in there:
            changes = {"partition": place[0], "position": place[1]}
            await writer.put_letter(letter.model_copy(update=changes))


async def _events(survey: Survey, target: Journal, *, begun: bool) -> None:
    """Append unread events, except those that an earlier attempt has appended."""
    there = {(event.subject, event.id) async for event in _appended(target)} if begun else set()
    batch: list[Event] = []
    async for event in survey.events():
        if (event.subject, event.id) in there:
            continue
        batch.append(event)
        if len(batch) == _AT_ONCE:
            await target.append(batch)
            batch = []
    if batch:
        await target.append(batch)


async def _appended(target: Journal) -> AsyncIterator[Event]:
    async for event in (await Survey.of(target, 0)).events():
        yield event


async def _finish(writer: Writer, survey: Survey, found: Contents, order: Order) -> None:
    """Let the target be served; partition 0, by which a half-done copy is known, comes last.

    The target counts its commits on from the source's: a subject that is forgotten and comes back
    begins its versions there, and below an earlier one the ids of its events would be known.
    """
    for number in reversed(range(len(writer.records))):
        entries = [] if number else [_entry(0, FINISHED, order, found.model_dump(mode="json"))]
        commits = max(survey.commits, writer.records[number].commits + 1)
        await writer.note(number, entries, copying="", commits=commits)


def _entry(number: int, action: str, order: Order, details: dict[str, JsonValue]) -> AuditEntry:
    return AuditEntry(
        at=order.now,
        subject=subject_key("-", SubjectKind.PARTITION, str(number)),
        action=action,
        actor=order.by,
        reason=order.reason,
        details=details,
    )
