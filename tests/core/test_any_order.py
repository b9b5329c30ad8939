"""Notifications in any order, doubled, late, before the REST interface knows, with any times.

In any order of them, the end is what the UEM shows once it shows the truth.
"""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.events import DeviceEnrolled, DeviceUnenrolled, Event
from connector.core.model import DAY, HOUR, SECOND, Millis
from connector.core.states import DeviceState, DeviceStatus, HolderState, Phase
from tests.core.names import device_key, holder_key
from tests.core.pure_loop import PureLoop
from tests.core.upstreams import Phone

DEVICE = device_key("10")
FORGED: dict[str, Callable[[Millis], Millis | None]] = {
    "true": lambda at: at,
    "none": lambda _at: None,
    "past": lambda at: at - 400 * DAY,
    "future": lambda at: at + 400 * DAY,
    "west": lambda at: at - 5 * HOUR,
    "east": lambda at: at + 2 * HOUR,
}
LONGEST_LAG: Millis = 600 * SECOND

lives = st.lists(st.booleans(), min_size=0, max_size=3)
"""Whether it was reported that the device left before each of its later enrolments."""
times = st.lists(st.sampled_from(sorted(FORGED)), min_size=12, max_size=12)
lags = st.integers(0, LONGEST_LAG)
ends = st.sampled_from(["enrolled", "unenrolled", "deleted"])
shown_first = st.sampled_from(["unknown", "on the way", "before"])


def happenings(loop: PureLoop, again: list[bool], end: str) -> list[tuple[bool, Millis]]:
    """What truly happened: (enrolled, when), the last of them just now."""
    told = [True]
    for left in again:
        told += [False, True] if left else [True]
    if end != "enrolled":
        told.append(False)
    first = loop.now - (len(told) - 1) * 120 * SECOND
    return [(enrolled, first + 120 * SECOND * number) for number, enrolled in enumerate(told)]


def truth(happened: list[tuple[bool, Millis]], end: str, first: str, shown_from: Millis) -> Phone:
    """The device as it is now, behind what the REST interface showed until ``shown_from``."""
    enrolments = [at for enrolled, at in happened if enrolled]
    before = None
    if first == "on the way":
        before = Phone(on_the_way=True)
    elif first == "before" and end != "enrolled":
        before = Phone(enrolled=True, enrolled_on=enrolments[-1])
    elif first == "before" and len(enrolments) > 1:
        before = Phone(enrolled=happened[-2][0], enrolled_on=enrolments[-2])
    if end == "deleted":
        return Phone(shown_before=before, shown_from=shown_from, deleted=True)
    now = Phone(enrolled=end == "enrolled", enrolled_on=enrolments[-1], shown_from=shown_from)
    return replace(now, shown_before=before)


def notification(enrolled: bool, occurred: Millis | None, now: Millis, number: int) -> Event:  # noqa: FBT001 - drawn
    return Event(
        id=f"told-{number}",
        tenant="acme",
        subject=DEVICE,
        source="workspace-one",
        occurred_at=occurred,
        received_at=now,
        body=DeviceEnrolled(platform="apple") if enrolled else DeviceUnenrolled(),
    )


@settings(max_examples=300)
@given(
    data=st.data(),
    again=lives,
    end=ends,
    first=shown_first,
    lag=lags,
    forged=times,
    gap=st.booleans(),
)
def test_the_end_is_what_the_uem_shows(
    data: st.DataObject,
    again: list[bool],
    end: str,
    first: str,
    lag: Millis,
    forged: list[str],
    gap: bool,  # noqa: FBT001 - drawn
) -> None:
    loop = PureLoop()
    loop.ca.issue("user1")
    happened = happenings(loop, again, end)
    told = data.draw(st.permutations([*happened, *happened[-2:]]))
    loop.uem.phones["10"] = truth(happened, end, first, loop.now + lag)
    for number, ((enrolled, at), time) in enumerate(zip(told, forged, strict=False)):
        loop.append(notification(enrolled, FORGED[time](at), loop.now, number))
        for _ in range(6 if gap else 1):
            loop.step()
    loop.run_out()
    assert_end(loop, enrolled=end == "enrolled")


def assert_end(loop: PureLoop, *, enrolled: bool) -> None:
    """The device's own state, the holder's list and the phone agree with the truth."""
    device, holder = loop.states[DEVICE], loop.states.get(holder_key("1"))
    assert isinstance(device, DeviceState)
    joined = isinstance(holder, HolderState) and DEVICE in holder.devices
    if not enrolled:
        assert device.status in {DeviceStatus.LEFT, DeviceStatus.LOST}
        assert not joined
        return
    assert device.status is DeviceStatus.ENROLLED
    assert joined
    assert isinstance(holder, HolderState)
    assert holder.delivery is not None
    assert holder.delivery.phase is Phase.COMPLETED
    assert loop.uem.phones["10"].installed == holder.delivery.digest
