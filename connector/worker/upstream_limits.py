"""Which effects may start: brakes, circuit breakers, rates and free places, by lane.

A lane is ``effect:route`` or ``effect:@uem``; effects of one lane start or are held back
together, and a lane that is held back does not delay another.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connector.core.errors import Fault
from connector.core.metric_definitions import (
    BACKEND_REQUEST_DURATION,
    BACKEND_REQUESTS,
    DISCLOSURES_HELD_BACK,
)
from connector.core.metrics import Metrics
from connector.core.policy import RoutePolicy
from connector.core.states import ACTS, ASKS_CA, ASKS_UEM, Brakes, Effect
from connector.upstream import RequestLimit
from connector.worker.ceiling import Ceiling
from connector.worker.circuit_breaker import CircuitBreaker, Standing
from connector.worker.share import Owned, room_of, whole

WATCHES = frozenset({Effect.LOOK_INSTALLED, Effect.LOOK_GONE})
"""What they watch goes on without them, so they wait while an upstream's budget is scarce."""

EFFECTS = frozenset(effect.value for effect in Effect)

LEAST_PLACES = 2
"""Effects that may run at once at the lowest rate, as far as ``parallel`` allows."""

ELAPSED_PER_ROUND = 128
"""How many deadlines one round handles: few, so that effects start soon after a standstill."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane's parts: the effect, its route or None, the UEM of a lane without a route."""

    effect: Effect
    route: str | None
    uem: str | None


def parse_lane(lane: str) -> Lane:
    """Parse a lane's name.

    An effect that only another version knows is not started: no state that wants it can be read.
    """
    effect, _, rest = lane.partition(":")
    if effect not in EFFECTS:
        return Lane(Effect.WAIT, None, None)
    if rest.startswith("@"):
        return Lane(Effect(effect), None, rest[1:])
    return Lane(Effect(effect), rest or None, None)


@dataclass(slots=True)
class Upstream:
    """The limits of one upstream: circuit breaker, requests, places for effects.

    ``parallel`` is the number of places of all processes together; ``share`` says which part is
    this process's. Requests are paced one by one, so no more effects run at once than requests are
    allowed per second: otherwise many would wait for each other and none would end. Two may run at
    the lowest rate, too: alone, a slow one would hold up all others.
    """

    breaker: CircuitBreaker
    requests: RequestLimit
    parallel: int
    share: Callable[[], Owned] = whole
    running: int = 0

    def free(self) -> int:
        """How many effects may start now."""
        if self.breaker.open or self.requests.held():
            return 0
        return max(self._places() - self.running, 0)

    def _places(self) -> int:
        places = room_of(self.parallel, self.share())
        return min(places, max(int(min(self.requests.rate(), places)), LEAST_PLACES))

    def enter(self) -> None:
        """Take the place of one effect."""
        self.running += 1

    def waits(self) -> list[float]:
        """Seconds until effects that are held back here may start, where that is known."""
        return [wait for wait in (self.breaker.wait(), self.requests.held()) if wait]


class UpstreamLimits:
    """All limits of one process, shared by the loops of its partitions.

    Args:
        upstreams: by ``ca:NAME`` and ``uem:NAME``.
        routes: returns the current policies by name.
        hand_overs: how many hand-over processes may run at once.
        ceiling: how many keys may be disclosed per hour in all, or None.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        routes: Callable[[], Mapping[str, RoutePolicy]],
        hand_overs: int,
        ceiling: Ceiling | None,
        metrics: Metrics,
    ) -> None:
        self._upstreams = upstreams
        self._routes = routes
        self._hand_overs = hand_overs
        self._handing_over = 0
        self.ceiling = ceiling
        self._metrics = metrics
        self._entered: dict[Lane, deque[tuple[str, ...]]] = {}

    def all_names(self) -> tuple[str, ...]:
        """Every upstream."""
        return tuple(self._upstreams)

    def names(self, lane: Lane) -> tuple[str, ...]:
        """The upstreams that effects of a lane talk to."""
        route = self._routes().get(lane.route) if lane.route else None
        names = []
        if lane.effect in ASKS_CA and route is not None:
            names.append(f"ca:{route.ca}")
        uem = route.uem if route is not None else lane.uem
        if lane.effect in ASKS_UEM and uem is not None:
            names.append(f"uem:{uem}")
        return tuple(names)

    def room(self, lane: Lane, brakes: Brakes) -> int:
        """How many effects of a lane may start now; lanes that only wait are not limited."""
        if self.only_time(lane):
            return ELAPSED_PER_ROUND
        if lane.effect in ACTS and paused(brakes, lane.route):
            return 0
        upstreams = [self._upstreams[n] for n in self.names(lane) if n in self._upstreams]
        if not upstreams:
            return 0
        if lane.effect in WATCHES and any(one.requests.scarce() for one in upstreams):
            return 0
        frees = [one.free() for one in upstreams]
        if lane.effect is Effect.HAND_OVER:
            frees.append(self._hand_overs - self._handing_over)
        return max(min(frees), 0)

    def only_time(self, lane: Lane) -> bool:
        """Whether no effect is started: the state only waits, or its route was removed."""
        lost = lane.route is not None and lane.route not in self._routes()
        return lane.effect is Effect.WAIT or lost

    def held_back_by_ceiling(self) -> None:
        """Count a hand-over that has to wait for the ceiling."""
        self._metrics.count(DISCLOSURES_HELD_BACK)

    def enter(self, lane: Lane) -> None:
        """Take the permits of one effect; :meth:`room` has shown that they are free."""
        names = self.names(lane)
        self._entered.setdefault(lane, deque()).append(names)
        for name in names:
            self._upstreams[name].enter()
        if lane.effect is Effect.HAND_OVER:
            self._handing_over += 1

    def leave(self, lane: Lane, fault: Fault | None, seconds: float) -> None:
        """Give the permits back, and report the outcome to the circuit breakers."""
        if lane.effect is Effect.HAND_OVER:
            self._handing_over -= 1
        for name in self._left(lane):
            upstream = self._upstreams[name]
            upstream.running -= 1
            mine = fault if fault is not None and fault.upstream in {name, None} else None
            if (
                fault is None or mine is not None
            ):  # otherwise the outcome says nothing about this upstream
                upstream.breaker.ended(mine, seconds)
            self._count(name, lane.effect.value, mine, seconds)

    def _count(self, name: str, operation: str, fault: Fault | None, seconds: float) -> None:
        outcome = "ok" if fault is None else fault.family.value
        code = "" if fault is None else fault.code
        labels = {"backend": name, "operation": operation, "outcome": outcome}
        self._metrics.count(BACKEND_REQUESTS, **labels, error_code=code)
        self._metrics.observe(BACKEND_REQUEST_DURATION, seconds, **labels)

    def admits(self, name: str) -> bool:
        """Whether a look that is no subject's may begin now; during an outage as the probe."""
        upstream = self._upstreams[name]
        return upstream.free() > 0 or upstream.breaker.probe_due()

    def begin(self, name: str) -> bool:
        """Take the place of a look that is no subject's; whether it is the probe."""
        upstream = self._upstreams[name]
        upstream.enter()
        if probes := upstream.breaker.probe_due():
            upstream.breaker.probe_begun()
        return probes

    def end(
        self, name: str, operation: str, fault: Fault | None, seconds: float, *, probes: bool
    ) -> None:
        """Give its place back, and report the outcome."""
        upstream = self._upstreams[name]
        upstream.running -= 1
        if probes:
            upstream.breaker.probed(fault)
        else:
            upstream.breaker.ended(fault, seconds)
        self._count(name, operation, fault, seconds)

    def withdraw(self, name: str, *, probes: bool) -> None:
        """Give its place back; it was cancelled."""
        upstream = self._upstreams[name]
        upstream.running -= 1
        if probes:
            upstream.breaker.probe_withdrawn()

    def give_back(self, lane: Lane) -> None:
        """Give unused permits back; this says nothing about the upstreams."""
        if lane.effect is Effect.HAND_OVER:
            self._handing_over -= 1
        for name in self._left(lane):
            self._upstreams[name].running -= 1

    def _left(self, lane: Lane) -> tuple[str, ...]:
        """The upstreams that an effect of the lane entered: its route may have changed."""
        entered = self._entered[lane]
        names = entered.popleft()
        if not entered:
            del self._entered[lane]
        return names

    def probes_due(self, lane: Lane) -> Iterator[tuple[str, CircuitBreaker]]:
        """The upstreams that hold a lane back and are due for a probe, with their breakers."""
        for name in self.names(lane):
            upstream = self._upstreams.get(name)
            if upstream is not None and upstream.breaker.probe_due():
                yield name, upstream.breaker

    def permits(self, name: str) -> RequestLimit:
        """The request limit of an upstream."""
        return self._upstreams[name].requests

    def pace_of_hand_over(self, name: str) -> float:
        """Requests per second that each hand-over process may send to an upstream.

        All that may run at once get the same part, so that together they keep the rate.
        """
        return self._upstreams[name].requests.rate() / self._hand_overs

    def next_permit(self) -> float:
        """Seconds until effects that are held back now may start, at most one."""
        waits = [wait for upstream in self._upstreams.values() for wait in upstream.waits()]
        return min([*waits, 1.0])

    def partitions_moved(self) -> None:
        """Note a new share now, so that the delay of a larger one is counted from now."""
        for upstream in self._upstreams.values():
            upstream.share()

    def states(self) -> dict[str, Standing]:
        """The state of each upstream's circuit breaker, by name."""
        return {name: one.breaker.standing() for name, one in self._upstreams.items()}

    def credentials_reloaded(self, names: Iterable[str]) -> None:
        """Close the circuit breakers of these upstreams, so that they are tried at once."""
        for name in names:
            self._upstreams[name].breaker.reset()


def paused(brakes: Brakes, route: str | None) -> bool:
    """Whether a route is paused."""
    return brakes.all_paused or route in brakes.routes_paused
