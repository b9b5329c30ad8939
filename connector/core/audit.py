"""Audit records and their chain.

Each record of a partition carries a sequence number without gaps, and a MAC over the previous MAC
and its own canonical JSON (names sorted, no spaces, UTF-8), so that a changed, missing, doubled or
re-ordered record is found by `audit verify` with the key; head and count, published as metrics,
show a cut-off end.
"""

import hmac
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

import orjson
from pydantic import Field, JsonValue, ValidationError

from connector.core.model import Millis, Record, Sha256Hex, SubjectKey
from connector.core.secret import Credential

GENESIS = "0" * 64
LARGEST = 1024 * 1024
"""Bytes of a stored record; what is larger was not written by this program."""
UNREADABLE = "the record cannot be read"
MISFIT = "the MAC does not match the record"
_GREATEST = 2**63 - 1
_END_OF_TIME: Millis = 253_402_300_799_999
"""The last moment that has a calendar date of four digits."""
CUT = "person.audit_cut"
"""Action of the entry that says up to where the trail was given up, and what the rest is chained
to: ``details`` with ``through`` (a sequence number) and ``head`` (a MAC)."""
REKEYED = "person.audit_rekeyed"
"""Action of the first record under another key: ``details`` with ``through`` and ``head`` of the
last one under the old key, and the names of both keys (``old_key``, ``new_key``)."""
ACCEPTED = "person.audit_accepted"
"""Action of the record by which a person accepts that the trail before it is broken: ``details``
with ``through`` and ``head`` as the partition knew them, ``first`` (where the damage begins), the
``digest`` of the last whole record before it and of the readable ones from there on, another of
those that are ``unreadable``, and the name of the ``key``."""


class AuditEntry(Record):
    """What happened, before it is given its place in a chain.

    ``action`` is a short constant (``hand_over.started``), ``actor`` who did it (``connector`` or a
    person as ``local:UID``), ``reason`` why, ``outcome`` ``ok`` or an error code. ``generations``
    are fingerprints. ``details`` holds small public facts, never a key or a password.
    """

    at: Millis = Field(ge=0, le=_END_OF_TIME)
    subject: SubjectKey
    action: str = Field(max_length=64)
    actor: str = Field(default="connector", max_length=512)
    delivery: str | None = None
    route: str | None = None
    generations: tuple[Sha256Hex, ...] = ()
    reason: str = Field(default="", max_length=512)
    outcome: str = Field(default="ok", max_length=64)
    details: dict[str, JsonValue] = Field(default_factory=dict)


def concerns(entry: AuditEntry, subjects: Collection[SubjectKey]) -> bool:
    """Whether an entry is about one of these subjects, or names one in its details."""
    return entry.subject in subjects or _names(entry.details, subjects)


def _names(value: JsonValue, subjects: Collection[SubjectKey]) -> bool:
    match value:
        case str():
            return value in subjects
        case list():
            return any(_names(one, subjects) for one in value)
        case dict():
            return any(name in subjects or _names(one, subjects) for name, one in value.items())
        case _:
            return False


class AuditRecord(Record):
    """An entry with its place: partition, sequence from 1, owner epoch, MAC of the chain."""

    schema_version: Literal[1] = 1
    partition: int = Field(ge=0, le=_GREATEST)
    sequence: int = Field(ge=0, le=_GREATEST)
    epoch: int = Field(ge=0, le=_GREATEST)
    entry: AuditEntry
    mac: Sha256Hex


class AuditRow(NamedTuple):
    """A record as it is stored, with the sequence number of its storage; None if unreadable.

    Readers page by that number, because the one inside the record may have been changed.
    ``stored`` are the bytes of an unreadable one, as far as they are not longer than
    :data:`LARGEST`.
    """

    sequence: int
    record: AuditRecord | None
    stored: bytes = b""


def read_record(stored: bytes | None) -> AuditRecord | None:
    """Parse a stored record; None if no version of this program could have written it."""
    if stored is None or len(stored) > LARGEST:
        return None
    try:
        return AuditRecord.model_validate_json(stored)
    except ValidationError:
        return None


def stored_row(sequence: int, stored: bytes | None) -> AuditRow:
    """The row of what is stored at a place; None: it is missing or too long to be read."""
    record = read_record(stored)
    return AuditRow(sequence, record, (stored or b"") if record is None else b"")


def says_cut(entry: AuditEntry, start: tuple[int, str]) -> bool:
    """Whether an entry records that the log may begin behind (sequence, MAC)."""
    told = entry.details.get("through"), entry.details.get("head")
    return entry.action == CUT and entry.outcome == "ok" and told == start


def key_name(key: Credential) -> str:
    """A name that tells a key from others and reveals nothing about it."""
    return hmac.digest(key.reveal().encode(), b"name of an audit key", "sha256").hex()[:16]


def resumed(record: AuditRecord) -> tuple[int, str] | None:
    """The (sequence, MAC) that a record claims to follow, if it may bridge a broken chain."""
    through, head = record.entry.details.get("through"), record.entry.details.get("head")
    if record.entry.action not in {REKEYED, ACCEPTED} or record.entry.outcome != "ok":
        return None
    if through != record.sequence - 1 or not isinstance(head, str):
        return None
    return record.sequence - 1, head or GENESIS


class Finding(Record):
    """What is wrong with a chain, and where."""

    partition: int
    sequence: int
    problem: str


def link(
    key: Credential,
    *,
    partition: int,
    epoch: int,
    head: str,
    count: int,
    entries: Iterable[AuditEntry],
) -> Iterator[AuditRecord]:
    """Give entries their places behind ``head`` (the last MAC, or empty) and ``count``."""
    previous = head or GENESIS
    for sequence, entry in enumerate(entries, start=count + 1):
        previous = _mac(key, previous, partition, sequence, epoch, entry)
        yield AuditRecord(
            partition=partition, sequence=sequence, epoch=epoch, entry=entry, mac=previous
        )


def misplaced(last: int, sequence: int, record: AuditRecord) -> Iterator[str]:
    """What is wrong with the position of a record after the previous one."""
    if sequence != last + 1:
        yield f"expected record {last + 1}: missing, doubled or out of order"
    if record.sequence != sequence:
        yield "the record has another sequence number"


def verify(
    key: Credential,
    partition: int,
    records: Iterable[AuditRecord],
    *,
    head: str | None = None,
    count: int | None = None,
    start: tuple[int, str] = (0, GENESIS),
) -> Iterator[Finding]:
    """Yield everything wrong with one partition's chain; nothing means that it is intact.

    ``head`` (or its beginning) and ``count`` are what was published elsewhere; without them a
    cut-off end is not seen.
    ``start`` is the (sequence, MAC) before the first record, for a chain that was exported and cut.
    """
    expected, previous = start
    for record in records:
        problems = list(misplaced(expected, record.sequence, record))
        if record.partition != partition or not fits(key, previous, record):
            problems.append(MISFIT)
        for problem in problems:
            yield Finding(partition=partition, sequence=record.sequence, problem=problem)
        expected, previous = record.sequence, record.mac
    if count is not None and expected != count:
        yield Finding(
            partition=partition, sequence=expected, problem=f"{count} records were published"
        )
    if head and not previous.startswith(head):
        yield Finding(partition=partition, sequence=expected, problem="not the published head")


def fits(key: Credential, previous: str, record: AuditRecord) -> bool:
    """Whether a record was made with this key as the successor of the record with this MAC."""
    try:
        mac = _mac(key, previous, record.partition, record.sequence, record.epoch, record.entry)
    except TypeError:  # numbers too large and lists too deep to have been written by this program
        return False
    return hmac.compare_digest(mac, record.mac)


def _mac(
    key: Credential, previous: str, partition: int, sequence: int, epoch: int, entry: AuditEntry
) -> str:
    place = [previous, partition, sequence, epoch]
    text = orjson.dumps([place, entry.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key.reveal().encode(), text, "sha256").hex()
