"""The limits of the process, from the settings: one breaker, rate and room per upstream."""

import os
from collections.abc import Callable, Mapping
from functools import partial

from connector.core.errors import Fault
from connector.core.journal import Journal
from connector.core.metric_definitions import BACKEND_CIRCUIT_STATE
from connector.core.metrics import CIRCUIT, CircuitState, Metrics
from connector.core.policy import RoutePolicy
from connector.core.ports import Clock
from connector.core.upstream import UpstreamSettings
from connector.settings.model import Settings
from connector.upstream import RequestLimit
from connector.worker.ceiling import Ceiling
from connector.worker.circuit_breaker import CircuitBreaker
from connector.worker.server_dates import ServerDates
from connector.worker.share import Share, rate_of
from connector.worker.upstream_limits import Upstream, UpstreamLimits

Alarm = Callable[[str, CircuitState, Fault | None], None]


def upstream_limits(  # noqa: PLR0913 - the parts that the limits are made of
    settings: Settings,
    clock: Clock,
    routes: Callable[[], Mapping[str, RoutePolicy]],
    metrics: Metrics,
    alarm: Alarm,
    journal: Journal,
    *,
    dates: ServerDates,
) -> UpstreamLimits:
    """The limits of one process; ``alarm`` is called when an upstream's outage begins and ends.

    ``dates`` gets the time of each answer.
    Rates, room and ceiling are those of all processes on the journal together.
    """
    share = Share(journal.share, clock.monotonic)
    named: dict[str, UpstreamSettings] = {f"ca:{key}": ca for key, ca in settings.cas.items()}
    named |= {f"uem:{key}": uem for key, uem in settings.uems.items()}
    upstreams = {
        name: Upstream(
            breaker=_breaker(name, clock, metrics, alarm),
            requests=RequestLimit(
                name,
                partial(_rate, one.rate, share),
                metrics,
                reserve=one.budget_reserve,
                told_time=dates.note,
                monotonic=clock.monotonic,
            ),
            parallel=one.parallel,
            share=share,
        )
        for name, one in named.items()
    }
    # One more than cores: while one waits for the CA or the UEM, another has its core.
    hand_overs = settings.handover.parallel or len(os.sched_getaffinity(0)) + 1
    ceiling = Ceiling(
        settings.worker.disclosure_ceiling, journal.current_records, share, clock.monotonic
    )
    return UpstreamLimits(upstreams, routes, hand_overs, ceiling, metrics)


def _rate(rate: float, share: Share) -> float:
    return rate_of(rate, share())


def _breaker(name: str, clock: Clock, metrics: Metrics, alarm: Alarm) -> CircuitBreaker:
    told: CircuitState = "closed"

    def changed(state: CircuitState, fault: Fault | None) -> None:
        nonlocal told
        metrics.gauge(BACKEND_CIRCUIT_STATE, CIRCUIT[state], backend=name)
        if state not in {"half_open", told}:  # probes that fail are no news
            told = state
            alarm(name, state, fault)

    return CircuitBreaker(clock.monotonic, changed)
