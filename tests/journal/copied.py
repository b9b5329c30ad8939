"""A journal with a little of everything in it, and what a copy of it must hold."""

import base64
from typing import NamedTuple

from connector.core.events import DeadLetterDropped, Event, EventBody, Paused, event_id
from connector.core.journal import DeadLetter, Journal, StateRow
from connector.core.model import DAY, SubjectKey, SubjectKind, subject_key
from connector.core.rows import UnreadableState
from connector.core.states import Brakes, DeviceState, PersonState, State
from connector.journal.copying.contents import Contents, contents
from connector.journal.copying.copy import Order, copy
from connector.journal.copying.survey import Survey
from connector_testkit.conformance.journal_samples import (
    KEY,
    acting,
    chained,
    event,
    holder,
    some_subjects,
    subjects,
    want,
    written,
)

NOW = 100 * DAY
ORDER = Order(key=KEY, by="local:0", reason="growing", now=NOW, trail="c" * 64)
PER_PARTITION = 40
LETTERS = (9001, 9002)
"""Where the dead letters stood: not where an event stands."""


class Filled(NamedTuple):
    """Events that no owner has read, per subject in their order."""

    unread: dict[SubjectKey, list[str]]


def letter(partition: int, position: int) -> DeadLetter:
    body = base64.b64encode(b"\xff foreign %d" % position).decode()
    return DeadLetter(
        partition=partition,
        position=position,
        code="EVT-005",
        original=body,
        at=NOW,
        headers=(("name", body),),
    )


def act(partition: int, body: EventBody) -> Event:
    subject = subject_key("-", SubjectKind.PARTITION, str(partition))
    return Event(
        id=event_id(subject, body.kind),
        tenant="-",
        subject=subject,
        source="operator",
        received_at=NOW,
        body=body,
    )


def of_tomorrow(key: SubjectKey) -> UnreadableState:
    """A holder of a later version, with an act open."""
    return UnreadableState(
        key=key,
        kind="holder",
        phase="of tomorrow",
        route="a",
        code="",
        version=7,
        act_epoch=1,
        state=b'{"member_of_tomorrow":"\xff"}',
        wants=(("lane", 5),),
    )


async def fill(journal: Journal) -> Filled:
    """States of all kinds, consumed and unread events, brakes, acts on partitions, dead letters."""
    unread: dict[SubjectKey, list[str]] = {}
    for number in range(journal.partitions):
        await _fill(journal, number, unread)
    drop = DeadLetterDropped(
        by="local:0", reason="x", position=LETTERS[1], code="EVT-005", letter="d" * 64
    )
    pauses = [act(number, Paused(by="local:0")) for number in range(journal.partitions)]
    await journal.append([*pauses, act(0, drop)])
    return Filled(unread)


async def _fill(journal: Journal, number: int, unread: dict[SubjectKey, list[str]]) -> None:
    mine = some_subjects(journal, PER_PARTITION, number)
    device = next(subjects(journal, number, SubjectKind.DEVICE))
    person = next(subjects(journal, number, SubjectKind.PERSON))
    consumed = [event(key, "consumed", at=NOW - 1000) for key in mine]
    await journal.append(consumed)
    found = await journal.read(number, 0, len(consumed))
    record = await journal.take_over(number)
    brakes = Brakes(routes_paused=frozenset({f"r{number}"}), disclosed=((60_000, number + 1),))
    states: list[State] = [
        *(holder(key, version=1, wants=(want("lane", 5),)) for key in mine[1:]),
        acting(mine[0], record.epoch),
        DeviceState(key=device),
        PersonState(key=person),
    ]
    await written(
        journal,
        record.model_copy(update={"time": NOW, "brakes": brakes}),
        position=found[-1].position,
        states=[StateRow(key=state.key, state=state) for state in states],
        audit=chained(record, 3, mine[0]),
        dead_letters=[letter(number, place) for place in LETTERS],
    )
    late = [event(key, f"unread {turn}", at=NOW) for turn in range(3) for key in mine[:5]]
    await journal.append(late)
    for one in late:
        unread.setdefault(one.subject, []).append(one.id)


async def copied(source: Journal, target: Journal) -> Contents:
    """Copy, and what the source was found to hold."""
    survey = await Survey.of(source, NOW)
    found = await contents(survey)
    await copy(survey, found, target, ORDER)
    return found
