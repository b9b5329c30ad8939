"""An upstream's budget that is nearly used up is kept for what a device waits for."""

from functools import partial

from connector.core.metrics import NoMetrics
from connector.core.states import Phase
from connector.upstream import RequestLimit
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.upstream_limits import Upstream, UpstreamLimits
from tests.worker.conftest import Stage

WINDOW = 3600.0


def with_a_budget(stage: Stage) -> tuple[UpstreamLimits, RequestLimit]:
    """A tenth of the UEM's budget is kept; the test gives its answers."""
    monotonic = stage.clock.monotonic
    limit = partial(RequestLimit, reserve=0.1, monotonic=monotonic)
    upstreams = {
        name: Upstream(CircuitBreaker(monotonic, lambda *_: None), limit(name), 8)
        for name in ("uem:acme", "ca:acme-ca")
    }
    limits = UpstreamLimits(upstreams, lambda: stage.routes, 2, None, NoMetrics())
    return limits, upstreams["uem:acme"].requests


async def test_what_is_only_watched_waits_for_the_next_window(stage: Stage) -> None:
    """A new device gets its keys; whether they are installed is looked at when there is room."""
    stage.limits, uem = with_a_budget(stage)
    async with stage.running():
        uem.left(99, 1000, WINDOW)
        await stage.enrol("7")
        await stage.until_phase(Phase.AWAITING_INSTALL)
        await stage.turns(20, step=60_000)
        assert (await stage.delivery()).phase is Phase.AWAITING_INSTALL
        uem.left(100, 1000, WINDOW)
        await stage.until_phase(Phase.COMPLETED)


async def test_it_does_not_wait_longer_than_the_window(stage: Stage) -> None:
    """Though nothing else is asked that would tell of the next one."""
    stage.limits, uem = with_a_budget(stage)
    async with stage.running():
        uem.left(0, 1000, WINDOW)
        begun = stage.clock.monotonic()
        await stage.enrol("7")
        await stage.until_phase(Phase.COMPLETED, step=60_000)
        assert stage.clock.monotonic() >= begun + WINDOW
