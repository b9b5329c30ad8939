"""Events as records of ``<prefix>.events``: CloudEvents 1.0, binary mode of its Kafka binding.

Key is the subject, value the event's JSON (``schemas/event``), the attributes are headers
``ce_…`` (https://github.com/cloudevents/spec, kafka-protocol-binding.md section 3.2). Readers need
none of the headers: records that are produced by hand may leave them out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from pydantic import TypeAdapter

from connector.core.events import Event
from connector.core.journal import DeadLetter, Positioned
from connector.core.model import partition_of
from connector.core.sizes import dead_letter
from connector.journal.events import parse

Headers = Sequence[tuple[str, bytes]]

UNREADABLE = "EVT-005"
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class Outgoing(NamedTuple):
    """A record on its way to a topic. ``value`` None removes the key from a compacted topic."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers


class Incoming(NamedTuple):
    """A record as it lies in a topic; ``timestamp`` in milliseconds since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def outgoing(event: Event, topic: str, partitions: int) -> Outgoing:
    """The record of an event."""
    at = event.received_at if event.occurred_at is None else event.occurred_at
    subject = event.subject.encode()
    return Outgoing(
        topic=topic,
        partition=partition_of(event.subject, partitions),
        key=subject,
        value=_EVENT.serializer.to_json(event),
        headers=(
            ("ce_specversion", b"1.0"),
            ("ce_id", event.id.encode()),
            ("ce_type", _type(event.body.kind, event.schema_version)),
            ("ce_source", _source(event.source)),
            ("ce_subject", subject),
            ("ce_time", _rfc3339(at)),
            ("content-type", b"application/json"),
        ),
    )


@cache
def _type(kind: str, version: int) -> bytes:
    return f"pki-connector.{kind}.v{version}".encode()


@cache
def _source(source: str) -> bytes:
    return f"/pki-connector/{source}".encode()


def incoming(record: Incoming, partition: int, partitions: int) -> Positioned | DeadLetter:
    """The event of a record, or the record as a dead letter when this program cannot use it.

    An event of another partition's subject is a dead letter, too: its order is lost already.
    """
    position = record.offset + 1
    try:
        event = parse(record.value or b"")
        if partition_of(event.subject, partitions) == partition:
            return Positioned(position=position, event=event)
    except ValueError:
        return _dead(record, partition)
    return _dead(record, partition)


def _dead(record: Incoming, partition: int) -> DeadLetter:
    headers = [(name, value or b"") for name, value in record.headers]
    where = partition, record.offset + 1
    return dead_letter(where, UNREADABLE, record.value or b"", max(record.timestamp, 0), headers)


def _rfc3339(at: int) -> bytes:
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a sender's time beyond the year 9999
        return b"9999-12-31T23:59:59.999Z"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
