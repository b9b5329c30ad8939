"""Metrics and logs of the upstreams' circuit breakers."""

from connector.core.errors import Family, Fault, Scope
from connector.core.metric_definitions import BACKEND_CIRCUIT_STATE
from connector.wiring.limits import _breaker
from tests.support.clocks import ManualClock
from tests.support.counted import Counted

DOWN = Fault(code="CA-001", family=Family.TRANSIENT, scope=Scope.UPSTREAM, upstream="ca:main")


def test_an_outage_is_shown_and_told() -> None:
    """The gauge says 2 while the breaker is open; its beginning is reported once."""
    told: list[tuple[str, str, Fault | None]] = []
    metrics = Counted()
    breaker = _breaker("ca:main", ManualClock(), metrics, lambda *each: told.append(each))
    for _ in range(20):
        breaker.ended(DOWN, 0.1)
    assert metrics.now(BACKEND_CIRCUIT_STATE) == {("ca:main",): 2}
    assert told == [("ca:main", "open", DOWN)]
