"""Limits of upstreams while a route is changed under the effects that run."""

from math import inf

from connector.core.metrics import NoMetrics
from connector.core.policy import RoutePolicy
from connector.core.states import Brakes
from connector.upstream import RequestLimit
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.upstream_limits import Upstream, UpstreamLimits, parse_lane
from tests.support.clocks import ManualClock
from tests.support.routes import policy


def test_an_effect_gives_back_the_place_that_it_took() -> None:
    """Also when its route names another CA by then, or is gone; no place is lost or made."""
    clock = ManualClock()
    upstreams = {
        name: Upstream(
            CircuitBreaker(clock.monotonic, lambda *_: None), RequestLimit(name, lambda: inf), 3
        )
        for name in ("ca:one", "ca:two", "uem:acme")
    }
    routes: dict[str, RoutePolicy] = {"staff": policy(name="staff", uem="acme", ca="one")}
    limits = UpstreamLimits(upstreams, lambda: routes, 2, None, NoMetrics())
    lane = parse_lane("hand_over:staff")
    before = limits.room(lane, Brakes())
    limits.enter(lane)
    routes = {"staff": policy(name="staff", uem="acme", ca="two")}
    limits.enter(lane)
    limits.leave(lane, None, 0.1)
    routes = {}
    limits.give_back(lane)
    assert [one.running for one in upstreams.values()] == [0, 0, 0]
    routes = {"staff": policy(name="staff", uem="acme", ca="one")}
    assert limits.room(lane, Brakes()) == before
