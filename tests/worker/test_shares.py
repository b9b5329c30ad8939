"""The arithmetic of limits that several processes keep together."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.metrics import NoMetrics
from connector.core.states import Brakes
from connector.upstream import RequestLimit
from connector.upstream.limit import Pace
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.share import SETTLED, Share, keys_of, rate_of, room_of
from connector.worker.upstream_limits import Upstream, UpstreamLimits, parse_lane
from tests.support.clocks import ManualClock
from tests.worker.conftest import ROUTE

LANE = parse_lane("look_up:@acme")


@st.composite
def splits(draw: st.DrawFn) -> list[int]:
    """How many partitions each of some processes owns; together all of them."""
    return draw(st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(sum))


@given(splits(), st.integers(0, 100_000))
def test_the_parts_of_what_is_left_are_never_more_than_it(split: list[int], left: int) -> None:
    """The owner of partition 0 takes the rest; no other is rounded up."""
    every = sum(split)
    parts = [keys_of(left, (owned, every), first=index == 0) for index, owned in enumerate(split)]
    assert sum(parts) <= left
    assert all(part >= 0 for part in parts)
    assert keys_of(left, (every, every), first=True) == left
    assert keys_of(-left, (split[0], every), first=True) == 0


@given(splits(), st.floats(0.1, 1000), st.integers(1, 256))
def test_rates_and_places_of_all_are_those_that_were_set(
    split: list[int], rate: float, places: int
) -> None:
    """A process that owns nothing gets nothing; each other one has at least one place."""
    every = sum(split)
    assert sum(rate_of(rate, (owned, every)) for owned in split) == pytest.approx(rate)
    rooms = [room_of(places, (owned, every)) for owned in split]
    assert sum(rooms) <= max(places, sum(owned > 0 for owned in split)) + len(split)
    assert all((room > 0) == (owned > 0) for room, owned in zip(rooms, split, strict=True))


class Told:
    """What the journal says of a process's partitions."""

    def __init__(self, owned: int = 0, every: int = 24) -> None:
        self.owned, self.every = owned, every

    def __call__(self) -> tuple[int, int]:
        return self.owned, self.every


def test_a_share_shrinks_at_once_and_grows_late() -> None:
    """What was gained counts when its former owner has surely released it."""
    clock, told = ManualClock(), Told(owned=12)
    share = Share(told, clock.monotonic)
    assert share() == (0, 24)
    clock.advance(int(SETTLED * 1000))
    assert share() == (12, 24)
    told.owned = 20
    assert share() == (12, 24)
    told.owned = 4
    assert share() == (4, 24)
    told.owned = 24
    assert share() == (4, 24)
    clock.advance(int(SETTLED * 1000))
    assert share() == (24, 24)


def test_a_share_grows_while_nobody_asks_for_it() -> None:
    """Who had nothing to do since partitions came does not wait when there is something."""
    clock, told = ManualClock(), Told()
    requests = RequestLimit(monotonic=clock.monotonic)
    upstream = Upstream(
        CircuitBreaker(clock.monotonic, lambda *_: None), requests, 8, Share(told, clock.monotonic)
    )
    limits = UpstreamLimits({"uem:acme": upstream}, lambda: {"staff": ROUTE}, 4, None, NoMetrics())
    told.owned = 12
    limits.partitions_moved()
    clock.advance(int(SETTLED * 1000))
    assert upstream.free() == 4


def test_whoever_owns_all_from_the_beginning_is_alone() -> None:
    """The embedded journal waits for no other process."""
    assert Share(Told(4, 4), ManualClock().monotonic)() == (4, 4)


@given(
    st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 12)), min_size=1, max_size=20),
    st.floats(0.5, 40),
)
def test_no_second_carries_more_than_the_rate_and_one_each(
    moves: list[tuple[int, int]], rate: float
) -> None:
    """Two processes, between which partitions move: the gainer hears of it first, the loser late.

    As long as the loser hears of it within the time that the gainer waits.
    """
    clock = ManualClock()
    told = [Told(12, 12), Told(0, 12)]
    shares = [Share(one, clock.monotonic) for one in told]
    paces = [_pace(rate, share, clock) for share in shares]
    for share in shares:
        share()
    permits: list[float] = []
    for wait, first in moves:
        second = 12 - first
        for index, owned in enumerate((first, second)):
            told[index].owned = max(told[index].owned, owned)
        _run(clock, paces, permits, 400)
        told[0].owned, told[1].owned = first, second
        _run(clock, paces, permits, wait)
    for start in permits:
        carried = sum(start <= one < start + 1 - 1e-9 for one in permits)
        assert carried <= rate + 2


def _pace(rate: float, share: Share, clock: ManualClock) -> Pace:
    return Pace(lambda: rate_of(rate, share()), clock.monotonic)


def _run(clock: ManualClock, paces: list[Pace], permits: list[float], millis: int) -> None:
    """Each takes every permit that it can get, every 20 ms."""
    for _ in range(0, millis, 20):
        for pace in paces:
            if pace.wait() == 0:
                pace.take()
                permits.append(clock.monotonic())
        clock.advance(20)


class SteppedSleep:
    """Sleeping turns the clock."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self._clock.advance(max(round(seconds * 1000), 1))


async def test_requests_follow_the_share_of_the_moment() -> None:
    """With a quarter of the partitions every second carries a quarter, from then on."""
    clock, told = ManualClock(), Told(24)
    share = Share(told, clock.monotonic)
    limit = RequestLimit(
        "uem:acme",
        lambda: rate_of(8.0, share()),
        monotonic=clock.monotonic,
        sleep=SteppedSleep(clock),
    )
    times = []
    for number in range(40):
        if number == 16:
            told.owned = 6
        await limit.take()
        times.append(clock.monotonic())
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= 1 / 8 - 1e-9 for gap in gaps[:15])
    assert all(gap >= 1 / 2 - 1e-9 for gap in gaps[15:])
    assert times[-1] - times[0] < 16 / 8 + 25 / 2


async def test_requests_of_a_hand_over_process_are_waited_for() -> None:
    """What it sends is of the same rate: the service sends so much less afterwards."""
    clock = ManualClock()
    limit = RequestLimit(rate=lambda: 4.0, monotonic=clock.monotonic, sleep=SteppedSleep(clock))
    await limit.take()
    for _ in range(3):
        limit.spend()
    before = clock.monotonic()
    await limit.take()
    assert clock.monotonic() - before == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("rate", "parallel", "places"),
    [(0.5, 8, 2), (1.0, 8, 2), (1.0, 1, 1), (3.7, 8, 3), (20.0, 8, 8), (inf, 8, 8)],
)
def test_no_more_effects_than_requests_a_second(rate: float, parallel: int, places: int) -> None:
    """Each sends several; many that wait for each other would all last for ever.

    At the lowest rate a second one has a place, so that one slow effect does not hold up all.
    """
    clock = ManualClock()
    breaker = CircuitBreaker(clock.monotonic, lambda *_: None)
    limit = RequestLimit(rate=lambda: rate, monotonic=clock.monotonic)
    upstream = Upstream(breaker, limit, parallel)
    limits = UpstreamLimits({"uem:acme": upstream}, lambda: {"corp": ROUTE}, 8, None, NoMetrics())
    passed = 0
    while limits.room(LANE, Brakes()):
        limits.enter(LANE)
        passed += 1
    assert passed == places
    limits.give_back(LANE)
    assert limits.room(LANE, Brakes()) == 1
    limit.hold(5.0)
    assert limits.room(LANE, Brakes()) == 0, "the upstream asked to wait"
    clock.advance(5000)
    assert limits.room(LANE, Brakes()) == 1
