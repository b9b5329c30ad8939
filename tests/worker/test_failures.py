"""A program error at one subject: it is shown, and stops no other."""

from typing import Any

from connector.core.events import DeviceUnenrolled
from connector.core.facts import DeviceLookedUp, Looked
from connector.core.journal import Commit, DeadLetterFilter, StateRow
from connector.core.metric_definitions import DLQ_MESSAGES
from connector.core.model import SECOND, DeviceFacts, Millis, SubjectKind, subject_key
from connector.core.rows import HeldUp
from connector.core.states import DeviceState, DeviceStatus, Effect, Phase
from connector.worker.ports import Subject
from connector.worker.quarantine import FIRST_PAUSE, Quarantine
from tests.support.counted import Counted
from tests.worker.conftest import HeldEffects, Stage

SICK = subject_key("acme", SubjectKind.DEVICE, "8")


class Confused(HeldEffects):
    """Answers one device's look-up with what describes no device."""

    confused = True
    looked = 0

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked[Any]:
        if state.key == SICK and self.confused:
            self.looked += 1
            wrong = DeviceFacts.model_construct(id="8", enrolled=True, holder=8)  # type: ignore[arg-type] # that is the point
            return DeviceLookedUp(state.version, wrong)
        return await super().look(effect, state, now)


async def test_a_subject_at_which_the_program_fails_is_left_alone(stage: Stage) -> None:
    """All others are served; it is looked at again after a pause, which grows."""
    effects = Confused(stage.world)
    stage.effects = effects
    async with stage.running():
        await stage.enrol("8")
        await stage.enrol("7")
        await stage.until_phase(Phase.COMPLETED, "7", step=50)
        assert effects.looked == 1
        failed = [entry for entry in await stage.audited() if entry.action == "subject.failed"]
        assert [(one.subject, one.outcome, one.reason) for one in failed] == [
            (SICK, "SRV-003", "look_up_device")
        ]
        assert [failure.key for failure in stage.failures] == [SICK]
        stage.clock.advance(int(FIRST_PAUSE * SECOND))
        await stage.until(lambda: effects.looked == 2, step=SECOND)
        await stage.turns(step=int(FIRST_PAUSE * SECOND) // 30)
        assert effects.looked == 2
        effects.confused = False
        stage.clock.advance(int(2 * FIRST_PAUSE * SECOND))
        await stage.until_phase(Phase.COMPLETED, "8")


async def test_who_is_left_alone_stands_in_the_partitions_record(stage: Stage) -> None:
    """By code, since when, until the subject advances; so ``status`` shows it on every pod."""
    effects = Confused(stage.world)
    stage.effects = effects

    async def held_up() -> dict[str, HeldUp]:
        (record,) = await stage.journal.records()
        return record.held_up

    async with stage.running():
        await stage.enrol("8")
        await stage.until(held_up)
        first = (await held_up())["SRV-003"]
        assert (first.count, first.subject) == (1, SICK)
        stage.clock.advance(int(FIRST_PAUSE * SECOND))
        await stage.until(lambda: effects.looked == 2, step=SECOND)
        assert (await held_up())["SRV-003"] == first
        effects.confused = False
        stage.clock.advance(int(2 * FIRST_PAUSE * SECOND))
        await stage.until_phase(Phase.COMPLETED, "8")
        assert await held_up() == {}


async def test_a_new_owner_begins_without_quarantine(stage: Stage) -> None:
    """It tries each once more, and what it does not hold up is not in its record."""
    effects = Confused(stage.world)
    stage.effects = effects
    async with stage.running():
        await stage.enrol("8")
        await stage.until(lambda: stage.failures)
    effects.confused = False
    async with stage.running():
        await stage.until_phase(Phase.COMPLETED, "8")
        (record,) = await stage.journal.records()
        assert record.held_up == {}


def test_quarantine_tells_codes_apart() -> None:
    """The oldest of each code is named; a subject counts under its newest code only."""
    one, two, three = (subject_key("acme", SubjectKind.DEVICE, name) for name in "123")
    quarantine = Quarantine(lambda: 0.0)
    for now, key in enumerate((one, two, three)):
        quarantine.hold(key, "SRV-003", now)
    quarantine.hold(one, "JRN-015", 9)
    assert quarantine.without(()) == {
        "SRV-003": HeldUp(count=2, since=1, subject=two),
        "JRN-015": HeldUp(count=1, since=9, subject=one),
    }
    assert quarantine.without({one, two}) == {"SRV-003": HeldUp(count=1, since=2, subject=three)}
    for key in (one, two, three):
        quarantine.advanced(key)
    assert (quarantine.without(()), len(quarantine)) == ({}, 0)


def test_who_failed_under_the_owner_before_waits_since_then() -> None:
    """As far as the partition's record names them: the oldest of each code."""
    one, two = (subject_key("acme", SubjectKind.DEVICE, name) for name in "12")
    quarantine = Quarantine(lambda: 0.0)
    earlier = HeldUp(count=2, since=5, subject=two)
    quarantine.taken_over({"SRV-003": earlier})
    quarantine.hold(one, "SRV-003", 70)
    quarantine.hold(two, "SRV-003", 80)
    quarantine.hold(two, "SRV-003", 90)
    assert quarantine.without(()) == {"SRV-003": earlier}
    quarantine.hold(two, "JRN-015", 95)
    assert quarantine.without(()) == {
        "SRV-003": HeldUp(count=1, since=70, subject=one),
        "JRN-015": HeldUp(count=1, since=95, subject=two),
    }


def test_who_advanced_under_the_new_owner_waits_from_its_next_failure() -> None:
    """Also when nothing else of the partition is held up."""
    key = subject_key("acme", SubjectKind.DEVICE, "1")
    quarantine = Quarantine(lambda: 0.0)
    quarantine.taken_over({"SRV-003": HeldUp(count=1, since=5, subject=key)})
    assert quarantine
    quarantine.advanced(key)
    assert not quarantine
    quarantine.hold(key, "SRV-003", 70)
    assert quarantine.without(()) == {"SRV-003": HeldUp(count=1, since=70, subject=key)}


async def test_an_owner_goes_on_with_the_time_of_the_one_before(stage: Stage) -> None:
    """The subject fails again at its first look."""
    stage.effects = Confused(stage.world)

    async def held_up() -> dict[str, HeldUp]:
        (record,) = await stage.journal.records()
        return record.held_up

    async with stage.running():
        await stage.enrol("8")
        await stage.until(held_up)
    before = await held_up()
    stage.clock.advance(int(10 * SECOND))
    failed = len(stage.failures)
    async with stage.running():
        await stage.until(lambda: len(stage.failures) > failed)
        await stage.until(held_up)
        assert await held_up() == before


async def test_an_event_for_it_is_tried_at_once(stage: Stage) -> None:
    """What people do about it need not wait for the pause."""
    effects = Confused(stage.world)
    stage.effects = effects
    async with stage.running():
        await stage.enrol("8")
        await stage.until(lambda: stage.failures)
        effects.confused = False
        await stage.enrol("8")
        await stage.until_phase(Phase.COMPLETED, "8")


async def test_an_event_at_which_the_program_fails_becomes_a_dead_letter(stage: Stage) -> None:
    """It is kept whole, counted and reported; the partition goes on behind it."""
    counting = Counted()
    stage.metrics = counting
    unreadable = DeviceState(key=SICK, holder="nobody of ours", status=DeviceStatus.ENROLLED)
    record = await stage.journal.take_over(0)
    await stage.journal.commit(
        Commit(record=record, states=(StateRow(key=SICK, state=unreadable),))
    )
    async with stage.running():
        await stage.send(SICK, DeviceUnenrolled(), name="poison")
        await stage.enrol("7")
        await stage.until_phase(Phase.COMPLETED, "7")
    letters = await stage.journal.dead_letters(DeadLetterFilter())
    assert [letter.code for letter in letters] == ["SRV-003"]
    assert stage.journal.revive(letters[0]).id == "poison"
    assert counting.labels(DLQ_MESSAGES) == [("events", "SRV-003")]
