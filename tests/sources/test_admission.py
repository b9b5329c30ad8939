"""Who gives way to whom when connections, addresses or bytes are full."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector.core.metric_definitions import WEBHOOK_CONNECTIONS_ENDED
from connector.core.metrics import NoMetrics
from connector.sources.admission import RESERVED, Admission, Room
from connector.sources.client_address import site_of
from tests.support.counted import Counted

MOST = 2 * RESERVED
ROOM = Room(connections=MOST, per_address=4, stranger_bytes=100)
STRANGERS = [f"192.0.2.{number}" for number in range(30)] + ["2001:db8::1", "2001:db8::2"]
KNOWN = "198.51.100.1"


@dataclass(eq=False)
class Caller:
    """A connection that remembers whether it was dropped."""

    address: str
    dropped: list[bool] = field(default_factory=list)

    def drop(self) -> None:
        self.dropped.append(True)


def crowd(admission: Admission, *addresses: str) -> list[Caller]:
    """Callers from these addresses who were all taken in."""
    callers = [Caller(address) for address in addresses]
    for caller in callers:
        assert admission.enter(caller, caller.address, is_proxy=False)
    return callers


def test_the_oldest_stranger_makes_room() -> None:
    """Connections of different strangers: the newest are kept, the eighth for others is free."""
    ends = Counted()
    callers = crowd(admission := Admission(ROOM, ends), *STRANGERS[:20])
    assert [bool(caller.dropped) for caller in callers] == [True] * 6 + [False] * 14
    assert len(admission) == MOST - MOST // RESERVED
    assert ends.labels(WEBHOOK_CONNECTIONS_ENDED) == [("oldest",)] * 6


def test_one_address_fills_no_more_than_its_share() -> None:
    """An IPv6 /64 counts as one."""
    admission = Admission(ROOM, NoMetrics())
    crowd(admission, *(f"2001:db8::{number:x}" for number in range(100)))
    assert len(admission) == ROOM.per_address


def test_a_listed_proxy_is_not_limited_by_its_address() -> None:
    """All clients come from it."""
    admission = Admission(ROOM, NoMetrics())
    for _ in range(MOST):
        assert admission.enter(Caller("127.0.0.1"), "127.0.0.1", is_proxy=True)
    assert len(admission) == MOST


def test_known_callers_are_never_dropped() -> None:
    """When only they are there, the next one is refused."""
    admission = Admission(ROOM, ends := Counted())
    known = []
    for _ in range(MOST):
        known += crowd(admission, KNOWN)
        admission.let_in(known[-1])
    assert not admission.enter(Caller(KNOWN), KNOWN, is_proxy=False)
    assert not admission.enter(Caller(STRANGERS[0]), STRANGERS[0], is_proxy=False)
    assert not any(caller.dropped for caller in known)
    assert ends.labels(WEBHOOK_CONNECTIONS_ENDED) == [("full",)] * 2


class Crowd(RuleBasedStateMachine):
    """Callers of all kinds come, prove who they are, send, and go, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = Admission(ROOM, NoMetrics())
        self.present: list[Caller] = []
        self.known: set[Caller] = set()
        self.familiar: set[str] = set()

    @rule(address=st.sampled_from([*STRANGERS, KNOWN]))
    def arrives(self, address: str) -> None:
        caller, site = Caller(address), site_of(address)
        strangers = [one for one in self.present if one not in self.known]
        was_let_in = self.admission.enter(caller, address, is_proxy=False)
        if site in self.familiar:
            assert was_let_in or (not strangers and len(self.present) >= MOST)
        if was_let_in:
            self.present.append(caller)
        self.forget_the_dropped(strangers)

    @rule(which=st.integers(0, MOST))
    def proves_who_they_are(self, which: int) -> None:
        if which < len(self.present):
            self.admission.let_in(self.present[which])
            self.known.add(self.present[which])
            self.familiar.add(site_of(self.present[which].address))

    @rule(which=st.integers(0, MOST), size=st.integers(1, 60))
    def sends(self, which: int, size: int) -> None:
        if which < len(self.present) and self.present[which] not in self.known:
            self.admission.hold(self.present[which], size)
            self.forget_the_dropped(self.present)

    @rule(which=st.integers(0, MOST))
    def goes(self, which: int) -> None:
        if which < len(self.present):
            self.admission.leave(self.present[which])
            self.admission.leave(self.present.pop(which))

    def forget_the_dropped(self, candidates: list[Caller]) -> None:
        gone = [one for one in self.present if one.dropped]
        assert set(gone) <= set(candidates) - self.known
        self.present = [one for one in self.present if not one.dropped]

    @invariant()
    def keeps_the_limits(self) -> None:
        assert len(self.admission) == len(self.present) <= MOST
        assert self.admission.bytes_of_strangers <= ROOM.stranger_bytes
        sites = Counter(
            site_of(one.address) for one in self.present if one.address not in self.familiar
        )
        assert all(
            count <= ROOM.per_address for site, count in sites.items() if site not in self.familiar
        )

    def teardown(self) -> None:
        for one in self.present:
            self.admission.leave(one)
        assert len(self.admission) == self.admission.bytes_of_strangers == 0


TestCrowd = Crowd.TestCase
TestCrowd.settings = settings(max_examples=60, stateful_step_count=60)
