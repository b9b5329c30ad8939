"""Cases of the journal suite: owners, rounds, audit trail and dead letters."""

from typing import Any

import pytest

from connector.core.audit import AuditEntry, verify
from connector.core.errors import Family
from connector.core.journal import DeadLetter, DeadLetterFilter, Journal, StateRow
from connector.core.model import SubjectKey
from connector.core.sizes import LARGEST, Part, TooLarge
from connector.core.states import Brakes
from connector_testkit.conformance.journal_samples import (
    KEY,
    JournalWorld,
    chained,
    event,
    holder,
    next_round,
    numbered,
    read_ids,
    refusal,
    some_subjects,
    soon_of,
    take,
    want,
    written,
)


class OwnerCases:
    """One owner per partition, identified by its epoch."""

    async def test_taking_over_raises_the_epoch(self, world: JournalWorld) -> None:
        first = await world.journal.take_over(0)
        second = await world.journal.take_over(0)
        await world.restart()
        third = await world.journal.take_over(0)
        assert first.epoch < second.epoch < third.epoch

    async def test_partitions_have_owners_of_their_own(self, journal: Journal) -> None:
        mine = await journal.take_over(0)
        await journal.take_over(1)
        await written(journal, mine)

    async def test_a_round_of_an_earlier_owner_is_refused(self, world: JournalWorld) -> None:
        here, there = some_subjects(world.journal, 1)[0], some_subjects(world.journal, 1, 1)[0]
        old = await world.journal.take_over(0)
        new = await world.journal.take_over(0)
        commit = next_round(
            old,
            position=99,
            states=[StateRow(key=here, state=holder(here))],
            audit=chained(old, 1, here),
            events=[event(there)],
        )
        assert (await refusal(world.journal.commit(commit))).code == "JRN-003"
        await world.restart()
        assert (await world.journal.records())[0] == new
        assert await world.journal.load([here]) == {}
        assert [record async for record in world.journal.audit(0)] == []
        await take(world, [event(there)], [True])
        assert await read_ids(world.journal, 1) == [event(there).id]

    async def test_one_process_owns_all_that_it_is_given(self, journal: Journal) -> None:
        mine = await soon_of(journal.assigned(frozenset()))
        assert mine == frozenset(range(journal.partitions))
        assert journal.share() == (journal.partitions, journal.partitions)

    async def test_an_epoch_that_nobody_took_is_refused(self, journal: Journal) -> None:
        record = await journal.take_over(0)
        ahead = record.model_copy(update={"epoch": record.epoch + 1})
        assert (await refusal(journal.commit(next_round(ahead)))).code == "JRN-003"
        await written(journal, record)

    async def test_there_is_one_record_per_partition(self, journal: Journal) -> None:
        records = await journal.records()
        assert [record.partition for record in records] == list(range(journal.partitions))


class RoundCases:
    """All of a round is durable, or none of it."""

    async def test_a_round_is_durable_as_a_whole(self, world: JournalWorld) -> None:
        journal = world.journal
        here, there = some_subjects(journal, 1)[0], some_subjects(journal, 1, 1)[0]
        await journal.append([event(here)])
        (entry,) = await journal.read(0, 0, 1)
        record = await journal.take_over(0)
        audit = chained(record, 2, here)
        letter = DeadLetter(partition=0, position=7, code="EVT-005", original="aGk=", at=1)
        state = holder(here, version=1, wants=(want("lane", 5),))
        after = await written(
            journal,
            record,
            position=entry.position,
            states=[StateRow(key=here, state=state)],
            audit=audit,
            events=[event(there)],
            dead_letters=[letter],
        )
        await world.restart()
        assert (await world.journal.records())[0] == after
        assert await world.journal.load([here]) == {here: state}
        assert [one async for one in world.journal.audit(0)] == audit
        assert await read_ids(world.journal, 1) == [event(there).id]
        assert await world.journal.dead_letters(DeadLetterFilter()) == [letter]

    async def test_the_position_moves_with_a_round_only(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append(numbered(subject, 3))
        found = await world.journal.read(0, 0, 3)
        await world.restart()
        assert (await world.journal.records())[0].position == 0
        record = await world.journal.take_over(0)
        await written(world.journal, record, position=found[1].position)
        await world.restart()
        position = (await world.journal.take_over(0)).position
        assert await read_ids(world.journal, 0, position) == [numbered(subject, 3)[2].id]

    async def test_a_position_never_goes_back(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        await journal.append([event(subject)])
        (entry,) = await journal.read(0, 0, 1)
        record = await written(journal, await journal.take_over(0), position=entry.position)
        error = await refusal(journal.commit(next_round(record, position=entry.position - 1)))
        assert (error.code, error.family) == ("JRN-006", Family.PERMANENT)

    async def test_a_round_with_a_gap_in_its_audit_changes_nothing(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        record = await journal.take_over(0)
        commit = next_round(
            record,
            states=[StateRow(key=subject, state=holder(subject))],
            audit=chained(record, 2, subject)[1:],
        )
        assert (await refusal(journal.commit(commit))).code == "JRN-006"
        assert await journal.load([subject]) == {}
        await written(journal, record, audit=chained(record, 2, subject))

    @pytest.mark.parametrize("part", LARGEST)
    async def test_a_record_that_is_too_large_is_named(self, journal: Journal, part: Part) -> None:
        """Nothing of the round is written; the same round without it is."""
        subject, other = some_subjects(journal, 2)
        record = await journal.take_over(0)
        fitting = StateRow(key=other, state=holder(other))
        parts: dict[str, list[Any]] = {
            "states": [fitting],
            "audit": chained(record, 1, other),
            "events": [event(other)],
        }
        error = await refusal(journal.commit(next_round(record, **_swollen(parts, part, subject))))
        assert isinstance(error, TooLarge)
        assert (error.code, error.place.part, error.place.number) == (
            "JRN-015", part, 0 if part == "dead letter" else 1
        )  # fmt: skip
        assert error.place.key == ("" if part == "dead letter" else subject)
        assert await journal.load([other]) == {}
        await written(journal, record, **parts)
        assert await journal.load([other]) == {other: fitting.state}

    async def test_a_round_names_its_own_subjects_only(self, journal: Journal) -> None:
        (other,) = some_subjects(journal, 1, 1)
        record = await journal.take_over(0)
        foreign_audit = chained(record.model_copy(update={"partition": 1}), 1, other)
        for commit in (
            next_round(record, states=[StateRow(key=other, state=holder(other))]),
            next_round(record, audit=foreign_audit),
        ):
            assert (await refusal(journal.commit(commit))).code == "JRN-006"
        assert await journal.load([other]) == {}

    async def test_events_go_to_any_partition(self, journal: Journal) -> None:
        here, there = some_subjects(journal, 1)[0], some_subjects(journal, 1, 1)[0]
        record = await journal.take_over(0)
        await written(journal, record, events=[event(here), event(there)])
        assert await read_ids(journal, 0) == [event(here).id]
        assert await read_ids(journal, 1) == [event(there).id]

    async def test_a_known_event_does_not_spoil_a_round(self, journal: Journal) -> None:
        here, there = some_subjects(journal, 1)[0], some_subjects(journal, 1, 1)[0]
        await journal.append([event(there)])
        record = await journal.take_over(0)
        await written(
            journal,
            record,
            states=[StateRow(key=here, state=holder(here))],
            events=[event(there), event(there, "new")],
        )
        assert await journal.load([here]) == {here: holder(here)}
        assert await read_ids(journal, 1) == [event(there).id, event(there, "new").id]

    async def test_brakes_outlive_their_owner(self, world: JournalWorld) -> None:
        record = await world.journal.take_over(0)
        brakes = Brakes(routes_paused=frozenset({"mail"}), paused_since=5, disclosed=((1, 2),))
        await written(world.journal, record.model_copy(update={"brakes": brakes}))
        await world.restart()
        assert (await world.journal.take_over(0)).brakes == brakes
        assert (await world.journal.take_over(1)).brakes == Brakes()


class TrailCases:
    """What was done, and what could not be read, stays."""

    async def test_the_audit_is_one_chain_over_owners(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        record = await world.journal.take_over(0)
        for number in (3, 1, 700):
            await written(world.journal, record, audit=chained(record, number, subject))
            await world.restart()
            record = await world.journal.take_over(0)
        trail = [one async for one in world.journal.audit(0)]
        assert [one.sequence for one in trail] == list(range(1, 705))
        assert list(verify(KEY, 0, trail, head=record.audit_head, count=704)) == []

    async def test_the_audit_is_read_behind_a_sequence(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        record = await journal.take_over(0)
        await written(journal, record, audit=chained(record, 5, subject))
        assert [one.sequence async for one in journal.audit(0, 3)] == [4, 5]
        assert [one async for one in journal.audit(1)] == []


def _swollen(parts: dict[str, list[Any]], part: Part, subject: SubjectKey) -> dict[str, list[Any]]:
    """The parts of a round with one more that is too large."""
    text = "x" * LARGEST[part]
    match part:
        case "state":
            row = StateRow(key=subject, state=holder(subject, name=text))
            return {**parts, "states": [*parts["states"], row]}
        case "event":
            huge = event(subject).model_copy(update={"cause": text})
            return {**parts, "events": [*parts["events"], huge]}
        case "audit record":
            (first,) = parts["audit"]
            entry = AuditEntry(at=1, subject=subject, action="x", details={"text": text})
            second = first.model_copy(update={"sequence": first.sequence + 1, "entry": entry})
            return {**parts, "audit": [first, second]}
        case "dead letter":
            letter = DeadLetter(partition=0, position=1, code="EVT-005", original=text, at=1)
            return {**parts, "dead_letters": [letter]}
