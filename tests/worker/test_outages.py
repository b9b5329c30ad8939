"""An upstream that is down as a whole: one alarm, and no attempt used up."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from connector.core.errors import Family, Fault, Scope
from connector.core.metrics import CircuitState
from connector.core.model import SubjectKey
from connector.core.states import Effect, Phase
from connector.worker.circuit_breaker import CircuitBreaker
from tests.support.clocks import ManualClock
from tests.worker.conftest import Stage

REFUSED = Fault(code="UEM-401", family=Family.PERMANENT, scope=Scope.UPSTREAM, upstream="uem:acme")
OWN = Fault(code="UEM-005", family=Family.PERMANENT)


def failing(times: float, at: set[Effect]) -> Callable[[Effect, SubjectKey], Fault | None]:
    left = times

    def fault(effect: Effect, _key: SubjectKey) -> Fault | None:
        nonlocal left
        if effect not in at or left <= 0:
            return None
        left -= 1
        return REFUSED

    return fault


async def test_refused_credentials_pause_with_one_alarm_and_use_up_no_attempt(
    stage: Stage,
) -> None:
    """For as long as it takes; it goes on by itself when credentials are reloaded."""
    looks, probes = Counter[str](), list[str]()

    def refused(effect: Effect, key: SubjectKey) -> Fault | None:
        looks[key] += effect is Effect.LOOK_UP
        return REFUSED if effect is Effect.LOOK_UP else None

    def down(upstream: str) -> Fault:
        probes.append(upstream)
        return REFUSED

    stage.world.fault, stage.world.down = refused, down
    async with stage.running() as worker:
        for device in ("7", "8", "9"):
            await stage.enrol(device)
        await stage.until(lambda: len(probes) > 4)
        for user in ("7", "8", "9"):
            assert (await stage.delivery(user)).attempts == 0
        assert set(probes) == {"uem:acme"}
        assert stage.alarms == [("uem:acme", "open")]
        assert max(looks.values()) == 1, "only probes pass"
        stage.world.fault, stage.world.down = (lambda _effect, _key: None), (lambda _: None)
        stage.limits.credentials_reloaded(["uem:acme"])
        worker.wake()
        for user in ("7", "8", "9"):
            await stage.until_phase(Phase.COMPLETED, user)
    assert stage.alarms[-1] == ("uem:acme", "closed")


async def test_one_refusal_is_over_with_the_first_success_after_a_probe(stage: Stage) -> None:
    """Open, half open, closed."""
    stage.world.fault = failing(1, {Effect.LOOK_UP})
    async with stage.running():
        await stage.enrol()
        await stage.until_phase(Phase.COMPLETED)
    assert [state for _, state in stage.alarms] == ["open", "half_open", "closed"]


async def test_one_look_that_always_fails_does_not_decide_for_all(stage: Stage) -> None:
    """It meets a fault of the whole upstream each time; the others are served between."""

    def fault(effect: Effect, key: SubjectKey) -> Fault | None:
        mine = effect is Effect.LOOK_UP and key == "acme/user/7"
        return REFUSED if mine else None

    stage.world.fault = fault
    async with stage.running():
        for device in ("7", "8", "9", "10"):
            await stage.enrol(device)
        for user in ("8", "9", "10"):
            await stage.until_phase(Phase.COMPLETED, user)
        assert (await stage.delivery("7")).phase is Phase.PLANNING


async def test_a_broken_ca_does_not_hold_the_uem(stage: Stage) -> None:
    """Lanes are held back apart."""
    down = Fault(
        code="CA-001", family=Family.TRANSIENT, scope=Scope.UPSTREAM, upstream="ca:acme-ca"
    )
    async with stage.running():
        await stage.enrol("7")
        await stage.until(lambda: stage.world.uploads)
        stage.world.fault = lambda effect, _key: down if effect is Effect.LIST else None
        await stage.enrol("8")
        await stage.until_phase(Phase.COMPLETED, "7")
        assert (await stage.delivery("8")).phase is Phase.PLANNING


class Listener:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.heard: list[str] = []
        self.breaker = CircuitBreaker(self.clock.monotonic, self._hear)

    def _hear(self, state: CircuitState, _fault: Fault | None) -> None:
        self.heard.append(state)


def test_only_faults_of_the_whole_upstream_open_a_breaker() -> None:
    """One holder's fault concerns only that holder."""
    one = Listener()
    one.breaker.ended(OWN)
    assert not one.breaker.open
    one.breaker.ended(REFUSED)
    assert one.breaker.open


def test_many_faults_of_one_outage_are_one_alarm() -> None:
    """Those that were under way when it began say nothing new."""
    one = Listener()
    for _ in range(5):
        one.breaker.ended(REFUSED)
    assert one.heard == ["open"]


def test_one_probe_at_a_time_after_a_growing_pause() -> None:
    """Each failed probe doubles the pause, up to a minute."""
    one = Listener()
    one.breaker.ended(REFUSED)
    pauses = []
    for _ in range(9):
        pauses.append(one.breaker.wait())
        assert not one.breaker.probe_due()
        one.clock.advance(int(one.breaker.wait() * 1000) + 1)
        assert one.breaker.probe_due()
        one.breaker.probe_begun()
        assert (one.breaker.probe_due(), one.breaker.open) == (False, True)
        one.breaker.probed(REFUSED)
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == 60.0
    assert one.heard == ["open"]


def test_an_outage_ends_with_the_first_success_after_a_probe() -> None:
    """What began before it, or is to be tried again, says nothing."""
    one = Listener()
    one.breaker.ended(REFUSED)
    one.breaker.ended(None)
    assert one.breaker.open
    one.clock.advance(2000)
    one.breaker.probed(None)
    assert (one.breaker.state, one.breaker.fault) == ("half_open", REFUSED)
    one.breaker.ended(Fault(code="UEM-001", family=Family.TRANSIENT))
    assert one.heard == ["open", "half_open"]
    one.breaker.ended(OWN)
    assert one.heard == ["open", "half_open", "closed"]


@pytest.mark.parametrize("fault", [None, OWN, REFUSED])
def test_an_effect_from_before_the_outage_does_not_decide_it(fault: Fault | None) -> None:
    """Not while the breaker is open, and not when a probe has been answered since."""
    one = Listener()
    began = one.clock.monotonic()
    one.clock.advance(1000)
    one.breaker.ended(REFUSED, 0.5)
    one.breaker.ended(fault, one.clock.monotonic() - began)
    one.clock.advance(2000)
    one.breaker.probed(None)
    one.clock.advance(10)
    one.breaker.ended(fault, one.clock.monotonic() - began)
    assert (one.breaker.state, one.heard) == ("half_open", ["open", "half_open"])
    one.breaker.ended(None, 0.01)
    assert one.heard == ["open", "half_open", "closed"]


def test_a_fault_while_half_open_opens_again_and_is_no_second_outage() -> None:
    """The pause grows on; what is answered afterwards closes as ever."""
    one = Listener()
    one.breaker.ended(REFUSED)
    one.clock.advance(2000)
    one.breaker.probed(None)
    assert not one.breaker.probe_due(), "effects decide now"
    one.breaker.ended(REFUSED)
    assert (one.breaker.state, one.breaker.wait()) == ("open", 2.0)
    one.clock.advance(3000)
    one.breaker.probed(None)
    one.breaker.ended(None)
    assert one.heard == ["open", "half_open", "open", "half_open", "closed"]
    one.breaker.ended(REFUSED)
    assert one.breaker.wait() == 1.0, "the next outage begins with a short pause"


async def test_only_one_probe_of_all_partitions_is_under_way(stage: Stage) -> None:
    """Those whose effects wait ask for it together."""
    under_way, most = 0, 0
    over = asyncio.Event()

    async def probing(upstream: str) -> Fault | None:  # noqa: ARG001 - its name in the port
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await over.wait()
        under_way -= 1
        return None

    stage.world.fault = failing(1, {Effect.LOOK_UP})
    stage.effects.probe = probing  # type: ignore[method-assign]
    async with stage.running():
        for device in ("7", "8", "9"):
            await stage.enrol(device)
        await stage.until(lambda: under_way)
        await stage.turns(20, step=1000)
        assert (under_way, most) == (1, 1)
        over.set()
        for user in ("7", "8", "9"):
            await stage.until_phase(Phase.COMPLETED, user)


def test_a_fault_after_an_answered_probe_makes_the_pause_longer() -> None:
    """The probe is answered and everything else is not: it is still the same outage."""
    one = Listener()
    one.breaker.ended(REFUSED)
    pauses = []
    for _ in range(4):
        pauses.append(one.breaker.wait())
        one.clock.advance(int(one.breaker.wait() * 1000) + 1)
        one.breaker.probed(None)
        for _ in range(3):
            one.breaker.ended(REFUSED)
    assert pauses == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (None, "half_open"),
        (OWN, "half_open"),
        (REFUSED, "open"),
        (Fault(code="UEM-001", family=Family.TRANSIENT), "open"),
    ],
)
def test_a_probe_is_answered_by_anything_but_silence(fault: Fault | None, state: str) -> None:
    """A refusal of the one request is an answer; no answer in time is none."""
    one = Listener()
    one.breaker.ended(REFUSED)
    one.breaker.probed(fault)
    assert one.breaker.state == state
    assert one.breaker.fault is REFUSED


def test_a_probe_that_was_withdrawn_leaves_the_place_free() -> None:
    """It was not done, so it says nothing."""
    one = Listener()
    one.breaker.ended(REFUSED)
    one.clock.advance(2000)
    one.breaker.probe_begun()
    one.breaker.probe_withdrawn()
    assert one.breaker.probe_due()
    assert one.breaker.fault is REFUSED


def test_a_retry_after_is_waited_for() -> None:
    """As the upstream asked."""
    one = Listener()
    one.breaker.ended(REFUSED.model_copy(update={"retry_after": 300.0}))
    assert one.breaker.wait() == 300.0


def test_how_a_breaker_stands_is_told_with_its_times() -> None:
    """For how long, when it is tried next, and how long ago an effect succeeded."""
    one = Listener()
    one.breaker.ended(None)
    one.clock.advance(5000)
    assert one.breaker.standing() == ("closed", None, 5.0, None, 5.0)
    one.breaker.ended(REFUSED)
    one.clock.advance(400)
    now = one.breaker.standing()
    assert (now.state, now.fault) == ("open", REFUSED)
    assert now.age == pytest.approx(0.4)
    assert now.next_try == pytest.approx(0.6)
    assert now.answered == pytest.approx(5.4)
