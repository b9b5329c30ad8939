"""The transactions that the rounds of a Kafka journal were, put together from its topics."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from aiokafka.structs import ConsumerRecord

from bench.topic import again
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.names import Names
from connector.journal.kafka.records import OWN

Told = Mapping[tuple[int, int], Sequence[str]]
"""Ids of the events to other subjects, by partition and commit."""


class Transaction(NamedTuple):
    """One of them: its records, and the read position for the group when it moved."""

    records: list[Outgoing]
    position: int | None


def transactions(
    found: Sequence[ConsumerRecord], names: Names, target: Names, told: Told
) -> dict[int, list[Transaction]]:
    """All of them in their order, by partition, as they are written to the topics of ``target``.

    A partition's own record ends each round among the states; it says up to which number the
    partition's audit records are written by then. Events to others are found by their ids.
    """
    events = {_id(one): one for one in found if one.topic == names.events}
    audit: dict[int, list[ConsumerRecord]] = {}
    states: dict[int, list[ConsumerRecord]] = {}
    for one in found:
        if one.topic in (names.audit, names.states):
            by = audit if one.topic == names.audit else states
            by.setdefault(one.partition, []).append(one)
    return {
        number: _rounds(number, many, audit.get(number, []), (events, told, target))
        for number, many in states.items()
    }


def _rounds(
    number: int,
    states: Sequence[ConsumerRecord],
    audit: Sequence[ConsumerRecord],
    others: tuple[Mapping[str, ConsumerRecord], Told, Names],
) -> list[Transaction]:
    events, told, target = others
    rounds: list[Transaction] = []
    open_: list[Outgoing] = []
    position: int | None = None
    trail = 0
    for one in states:
        open_.append(again(one, target.states))
        if not (one.key or b"").startswith(OWN):
            continue
        record = orjson.loads(one.value)
        while trail < len(audit) and _sequence(audit[trail]) <= record["audit_count"]:
            open_.append(again(audit[trail], target.audit))
            trail += 1
        names = told.get((number, record["commits"]), ())
        open_ += [again(events[name], target.events) for name in names]
        moved = record["position"] != position
        position = record["position"]
        rounds.append(Transaction(open_, position if moved else None))
        open_ = []
    return rounds


def _id(record: ConsumerRecord) -> str:
    name: bytes = dict(record.headers)["ce_id"]
    return name.decode()


def _sequence(record: ConsumerRecord) -> int:
    return int(dict(record.headers)["sequence"])
