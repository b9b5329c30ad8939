"""Records of ``<prefix>.states``: what is in the value, and what is in the headers.

A subject's record has the subject as key and the state's JSON (``schemas/state``) as value; the
JSON ``null`` when the subject has no state but ids that are still remembered; no value at all (a
tombstone) when it is to be forgotten. The partition's own record has the key ``@partition/N``,
which no subject can have, because ``@`` is percent-encoded in a tenant.

========== ====================================================================================
``schema`` version of value and headers; a program that knows only smaller ones keeps away
``epoch``  owner epoch of the writer
``version`` counts the writes of this key; of the partition's own record, the commits
``source`` read position of the round that wrote it
``seen``   ids that the subject has consumed, with their times of receipt: JSON object
``due``    earliest time of each lane that the state wants: JSON object
``listed`` what listings ask for: JSON array of kind, act epoch, phase, route, code, state version
========== ====================================================================================

With these, a pod fills its tables without parsing a state.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from connector.core.journal import PartitionRecord
from connector.core.model import Millis, SubjectKey
from connector.journal.kafka.cloudevents import Incoming, Outgoing
from connector.journal.states import StateColumns, WantColumns, tenant_of

SCHEMA = 1
"""The newest version of these records that this program reads and writes."""

OWN = b"@partition/"
NO_STATE = b"null"
NOTHING_SEEN = b"{}"

Seen = dict[str, Millis]


class Head(NamedTuple):
    """The version of a record, and the ids that it remembers.

    ``newest`` is the greatest time in ``seen``; ``bare`` whether the subject has no state.
    """

    key: SubjectKey
    partition: int
    epoch: int
    version: int
    seen: bytes
    newest: Millis
    bare: bool

    @property
    def rank(self) -> tuple[int, int]:
        """The key to compare versions by; the greatest is the newest."""
        return self.epoch, self.version


class StateRecord(NamedTuple):
    """A subject's record taken apart. ``columns`` None: no state."""

    head: Head
    source: int
    columns: StateColumns | None
    wants: list[WantColumns]


class OwnRecord(NamedTuple):
    """A partition's own record, its value not parsed yet."""

    partition: int
    epoch: int
    version: int
    seen: bytes
    value: bytes

    @property
    def rank(self) -> tuple[int, int]:
        """The greatest counts."""
        return self.epoch, self.version

    def parse(self) -> PartitionRecord:
        """The record in full."""
        return PartitionRecord.model_validate_json(self.value)


class TooNew(NamedTuple):
    """A record that a newer program wrote."""

    partition: int
    schema: int


def remembered(seen: bytes) -> Seen:
    """The ids of a ``seen`` header."""
    found: Seen = orjson.loads(seen)
    return found


def seen_header(seen: Mapping[str, Millis]) -> bytes:
    """Ids as a header."""
    return orjson.dumps(dict(seen))


def state_outgoing(record: StateRecord, topic: str) -> Outgoing:
    """The bytes of a subject's record; a tombstone when there is nothing left to remember."""
    head, columns = record.head, record.columns
    headers = [
        ("schema", b"%d" % SCHEMA),
        ("epoch", b"%d" % head.epoch),
        ("version", b"%d" % head.version),
        ("source", b"%d" % record.source),
        ("seen", head.seen),
    ]
    if columns is not None:
        headers += [
            ("due", orjson.dumps({lane: due for _, lane, due, _ in record.wants})),
            ("listed", orjson.dumps(_listed(columns))),
        ]
    if columns is not None:
        value: bytes | None = columns.state
    else:
        value = None if head.seen == NOTHING_SEEN else NO_STATE
    return Outgoing(topic, head.partition, head.key.encode(), value, headers)


def own_outgoing(record: PartitionRecord, seen: Mapping[str, Millis], topic: str) -> Outgoing:
    """The bytes of a partition's own record."""
    headers = (
        ("schema", b"%d" % SCHEMA),
        ("epoch", b"%d" % record.epoch),
        ("version", b"%d" % record.commits),
        ("source", b"%d" % record.position),
        ("seen", seen_header(seen)),
    )
    key = OWN + b"%d" % record.partition
    value = record.model_dump_json().encode()
    return Outgoing(topic, record.partition, key, value, headers)


def read(record: Incoming, partition: int) -> StateRecord | OwnRecord | TooNew:
    """A record of the topic taken apart.

    Raises:
        ValueError: when it is none of ours.
    """
    headers = dict(record.headers)
    try:
        schema = int(headers["schema"])
        if schema > SCHEMA:
            return TooNew(partition, schema)
        return _read(record, partition, headers)
    except (KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError("reading a record of the states topic: it is not one") from error


def _read(
    record: Incoming, partition: int, headers: Mapping[str, bytes]
) -> StateRecord | OwnRecord:
    key, value = record.key or b"", record.value
    epoch, version = int(headers["epoch"]), int(headers["version"])
    seen = headers.get("seen", NOTHING_SEEN)
    if key.startswith(OWN):
        return OwnRecord(partition, epoch, version, seen, value or b"")
    name = key.decode()
    bare = value is None or value == NO_STATE
    newest = 0 if seen == NOTHING_SEEN else max(orjson.loads(seen).values())
    head = Head(name, partition, epoch, version, seen, newest, bare)
    source = int(headers.get("source", b"0"))
    if value is None or bare:
        return StateRecord(head, source, None, [])
    columns = _columns(name, partition, orjson.loads(headers["listed"]), value)
    wants = [(name, lane, due, partition) for lane, due in orjson.loads(headers["due"]).items()]
    return StateRecord(head, source, columns, wants)


def _listed(columns: StateColumns) -> list[str | int | None]:
    return [
        columns.kind,
        columns.act_epoch,
        columns.phase,
        columns.route,
        columns.code,
        columns.version,
    ]


def _columns(key: SubjectKey, partition: int, listed: Sequence[Any], state: bytes) -> StateColumns:
    kind, act_epoch, phase, route, code, version = listed
    tenant = tenant_of(key)
    return StateColumns(key, kind, tenant, partition, act_epoch, phase, route, code, version, state)
