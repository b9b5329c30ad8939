"""Journal time steps back: what a wrong clock wrote into the states is corrected."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core import states
from connector.core.events import DeviceEnrolled, DeviceJoined, DeviceUnenrolled
from connector.core.facts import Permitted, TimeSteppedBack
from connector.core.machines import advance
from connector.core.model import DAY, HOUR, SECOND, Millis, Record
from connector.core.states import (
    Check,
    CopyState,
    DeviceState,
    DeviceStatus,
    Dropped,
    Effect,
    HolderState,
    InstalledSet,
    Looks,
    PersonState,
    Phase,
    Running,
    Want,
)
from tests.core.names import device_key, person_key
from tests.core.pure_loop import PureLoop
from tests.core.scenes import (
    HOLDER,
    delivery,
    enrol,
    holder,
    redeliver,
    renew,
    step_clock,
    until,
    until_phase,
)
from tests.core.times import AWAITED, KEPT, NUMBERS, PAST, THEIRS, late, require_corrected

YEAR = 365 * DAY


def step_back(loop: PureLoop, by: Millis) -> None:
    """The clock is mended, and every state is corrected: twice, as after a kill."""
    step_clock(loop, -by)
    for key, before in list(loop.states.items()):
        after = loop.apply(key, TimeSteppedBack())
        assert loop.apply(key, TimeSteppedBack()) is after
        require_corrected(before, after, loop.now)
        looks = [want.due for want in after.wants if want.effect is not Effect.WAIT]
        assert all(due <= loop.now + 7 * HOUR for due in looks), "longer than any look waits"


def full_holder(loop: PureLoop) -> HolderState:
    """A holder with one of each record that has times."""
    until_phase(loop, Phase.AWAITING_INSTALL)
    state, now = holder(loop), loop.now
    (known,) = state.devices.values()
    has = InstalledSet(digest="d" * 64, at=now, evidence="")
    running = Running(
        effect=Effect.PUSH, attempt=1, started_at=now, limit=1, epoch=1, before=state.copy_
    )
    dropped = Dropped(fingerprint="f" * 64, by="local:0", reason="lost", at=now)
    return state.model_copy(
        update={
            "devices": {device_key("10"): known.model_copy(update={"has": has})},
            "history": (delivery(loop).model_copy(update={"phase": Phase.CANCELLED}),),
            "running": running,
            "check": Check(due=now),
            "look": Check(due=now),
            "dropped": (dropped,),
            "automatic": (now + YEAR,),
            "looks": Looks(since=now, counts={}),
        }
    )


def test_every_time_in_a_state_is_corrected() -> None:
    loop = PureLoop()
    loop.ca.issue("user1")
    enrol(loop)
    loop.states[HOLDER] = full_holder(loop)
    for key, state in list(loop.states.items()):
        wrong = late(state, loop.now + YEAR)
        step = advance(wrong, TimeSteppedBack(), loop.now, loop.rules())
        assert not step.gone
        require_corrected(wrong, step.state, loop.now)
        again = advance(step.state, TimeSteppedBack(), loop.now, loop.rules())
        assert again.state is step.state, key


def numbers_in(annotation: Any) -> bool:
    """Whether a member may have a number, alone or in something."""
    return annotation is int or any(map(numbers_in, get_args(annotation)))


def test_every_number_of_a_state_is_known_as_a_time_or_none() -> None:
    """A new member has to be corrected, or be listed here as none of our times."""
    named = (getattr(states, name) for name in states.__all__)
    kept = [one for one in named if isinstance(one, type) and issubclass(one, Record)]
    of_partitions = {states.Brakes, states.StandingPause}
    found = {
        name
        for record in kept
        if record not in of_partitions
        for name, member in record.model_fields.items()
        if numbers_in(member.annotation)
    }
    assert found - {"schema_version"} <= PAST | AWAITED | THEIRS | NUMBERS


fates = st.lists(
    st.sampled_from(["accepted", "not_sent", "late", "unanswered", "crash_late", "silent"]),
    max_size=3,
)
happenings = st.lists(
    st.sampled_from(["renew", "redeliver", "second", "offline", "down", "hour"]), max_size=4
)


@settings(max_examples=60, deadline=None)
@given(
    ahead=st.sampled_from([20 * 60 * SECOND, DAY, YEAR]),
    fates=fates,
    happened=happenings,
    work=st.lists(st.integers(0, 25), min_size=5, max_size=5),
)
def test_all_that_began_under_a_wrong_clock_ends_in_time(
    ahead: Millis, fates: list[str], happened: list[str], work: list[int]
) -> None:
    loop = PureLoop()
    loop.ca.issue("user1")
    step_clock(loop, ahead)
    loop.fates.extend(fates)
    enrol(loop)
    for steps, what in zip(work, [*happened, *["hour"] * 5], strict=False):
        for _ in range(steps):
            loop.step()
        happens(loop, what)
    step_back(loop, ahead)
    loop.down.clear()
    loop.run_out()
    assert delivery(loop).phase is Phase.COMPLETED
    assert holder(loop).copy_.state is CopyState.GONE
    wanted = [want.due for state in loop.states.values() for want in state.wants]
    assert max(wanted, default=0) <= loop.now + KEPT


def happens(loop: PureLoop, what: str) -> None:
    match what:
        case "renew":
            renew(loop)
        case "redeliver":
            redeliver(loop)
        case "second":
            enrol(loop, "11")
        case "offline":
            enrol(loop, "12", online=False)
            loop.uem.phones["12"].online = True
        case "down":
            loop.down.add("ca")
        case _:
            loop.pass_time(HOUR)


def test_a_state_at_rest_is_not_written() -> None:
    loop = PureLoop()
    loop.ca.issue("user1")
    enrol(loop)
    loop.run_out()
    before = dict(loop.states)
    assert {type(state) for state in before.values()} == {HolderState, DeviceState, PersonState}
    for key, state in before.items():
        assert loop.apply(key, TimeSteppedBack()) is state


@pytest.mark.parametrize("corrected", [True, False])
def test_a_look_under_a_wrong_clock_does_not_count_as_fresh(*, corrected: bool) -> None:
    """Neither before nor after its time is corrected do keys leave escrow without another look."""
    loop = PureLoop()
    loop.ca.issue("user1")
    step_clock(loop, YEAR)
    enrol(loop)
    until(loop, lambda: delivery(loop).step is Effect.HAND_OVER)
    step_clock(loop, -YEAR)
    if corrected:
        loop.apply(HOLDER, TimeSteppedBack())
    due = tuple(want.model_copy(update={"due": loop.now}) for want in holder(loop).wants)
    loop.states[HOLDER] = holder(loop).model_copy(update={"wants": due})
    loop.apply(HOLDER, Permitted(Effect.HAND_OVER))
    assert holder(loop).running is None
    assert delivery(loop).step is Effect.LOOK_UP


def test_times_that_another_partition_stored_under_a_wrong_clock_count_as_now() -> None:
    loop = PureLoop()
    loop.ca.issue("user1")
    late = loop.now + YEAR
    joined = DeviceJoined(device=device_key("10"), enrolled_at=late, announced_at=late)
    loop.send(HOLDER, joined)
    loop.step()
    known = holder(loop).devices[device_key("10")]
    assert (known.joined_at, known.announced_at) == (loop.now, loop.now)


def test_which_notification_of_a_device_was_the_newest_is_kept() -> None:
    """A device that left and enrolled again has not left, also where both are brought to now."""
    loop = PureLoop()
    step_clock(loop, YEAR)
    enrol(loop)
    loop.step()
    for body in (DeviceUnenrolled(), DeviceEnrolled(platform="apple")):
        loop.pass_time(SECOND)
        loop.send(device_key("10"), body)
        loop.step()
    step_back(loop, YEAR)
    device = loop.states[device_key("10")]
    assert isinstance(device, DeviceState)
    assert device.status is DeviceStatus.LOOKING
    assert (device.unenrolled_at or 0) < (device.enrolled_at or 0) <= loop.now


def test_a_copy_is_looked_at_when_its_retention_ends() -> None:
    """Not all of them at once: what the UEM's own clock says of a copy is right."""
    loop = PureLoop()
    loop.ca.issue("user1")
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    ends = next(want for want in holder(loop).wants if want.effect is Effect.LOOK_GONE)
    wrong = ends.due + YEAR
    copy = holder(loop).copy_.model_copy(update={"due": wrong})
    loop.states[HOLDER] = holder(loop).model_copy(
        update={"copy_": copy, "wants": (ends.model_copy(update={"due": wrong}),)}
    )
    loop.apply(HOLDER, TimeSteppedBack())
    looks = [want for want in holder(loop).wants if want.effect is Effect.LOOK_GONE]
    assert [abs(one.due - ends.due) <= SECOND for one in looks] == [True]


def test_a_person_without_holders_is_forgotten_in_time() -> None:
    loop = PureLoop()
    step_clock(loop, YEAR)
    renew(loop)
    loop.step()
    step_back(loop, YEAR)
    person = loop.states[person_key("user1")]
    (wanted,) = person.wants
    assert isinstance(wanted, Want)
    assert wanted.due <= loop.now + 90 * DAY


def test_a_notification_that_a_wrong_clock_received_counts_as_now() -> None:
    """It lay in the journal when time stepped back."""
    loop = PureLoop()
    step_clock(loop, YEAR)
    enrol(loop)
    step_clock(loop, -YEAR)
    loop.step()
    device = loop.states[device_key("10")]
    assert isinstance(device, DeviceState)
    assert (device.enrolled_at, device.announced_at) == (loop.now, loop.now)
