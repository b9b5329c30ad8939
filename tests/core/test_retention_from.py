"""What the UEM counts the retention of a copy from, and a copy that it never purges."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from connector.core.facts import CopyLookedAt
from connector.core.holder.advance import advance
from connector.core.model import DAY, HOUR, SECOND, Millis
from connector.core.policy import RetentionFrom
from connector.core.ports import GoneLook
from connector.core.states import CopyState, Effect, Phase
from tests.core.names import ROUTE
from tests.core.pure_loop import PureLoop
from tests.core.scenes import delivery, enrol, holder, until, until_phase
from tests.core.upstreams import RETENTION, Uem


@dataclass
class Late(Uem):
    """A UEM that counts the retention from the first installation of a set."""

    first: dict[tuple[str, Millis], Millis] = field(default_factory=dict)

    def deliver(self) -> None:
        super().deliver()
        for phone in self.phones.values():
            _, at = self.copies.get(phone.user, ("", 0))
            if at and phone.installed_at > at:
                self.first.setdefault((phone.user, at), self.now)


def from_install(late: int) -> PureLoop:
    """The phone takes the set so long after the upload."""
    loop = PureLoop(uem=Late())
    loop.routes["corp"] = ROUTE.model_copy(update={"retention_from": RetentionFrom.INSTALL})
    loop.ca.issue("user1")
    enrol(loop, online=False)
    until_phase(loop, Phase.AWAITING_INSTALL)
    loop.pass_time(late)
    return loop


@pytest.mark.parametrize("late", [SECOND, HOUR, 5 * HOUR])
def test_retention_may_count_from_the_installation(late: int) -> None:
    """Nothing is called gone before the UEM can have purged it."""
    loop = from_install(late)
    loop.uem.phones["10"].online = True
    until(loop, lambda: holder(loop).copy_.state is CopyState.GONE, most=2000)
    assert isinstance(loop.uem, Late)
    (first,) = loop.uem.first.values()
    assert (holder(loop).copy_.gone_at_server or 0) >= first + RETENTION
    assert delivery(loop).phase is Phase.COMPLETED


def test_a_set_that_no_device_installed_is_not_called_gone() -> None:
    """The UEM keeps it, and the alarm says so."""
    loop = from_install(30 * DAY)
    until(loop, lambda: delivery(loop).phase is Phase.FAILED, most=4000)
    assert holder(loop).copy_.state is CopyState.PRESENT
    assert holder(loop).copy_.overdue


def test_where_the_uem_purges_nothing_a_delivery_is_completed_all_the_same(loop: PureLoop) -> None:
    """The copy stays what it is, and no look waits for its end."""
    loop.routes["corp"] = ROUTE.model_copy(update={"retention_from": RetentionFrom.KEPT})
    enrol(loop)
    until_phase(loop, Phase.COMPLETED)
    assert holder(loop).copy_.state is CopyState.PRESENT
    assert "kept" in (delivery(loop).why or "")
    assert not any(want.effect is Effect.LOOK_GONE for want in holder(loop).wants)


def test_a_copy_that_is_still_there_is_looked_at_more_and_more_rarely(loop: PureLoop) -> None:
    """A target that can tell says again and again that it holds the copy."""
    enrol(loop)
    until_phase(loop, Phase.AWAITING_PURGE)
    looks: list[int] = []
    state = holder(loop)
    ends = loop.now + RETENTION + DAY
    for _ in range(12):
        due = state.copy_.due or 0
        looks.append(due)
        look = GoneLook(server_time=max(due, ends), copy_present=True)
        fact = CopyLookedAt(state.version, look)
        loop.now = max(due, ends)
        state = advance(state, fact, loop.now, loop.rules()).state
    gaps = [later - one for one, later in pairwise(looks)]
    assert gaps[-1] >= ROUTE.look_every.cap // 2
