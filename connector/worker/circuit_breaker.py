"""A circuit breaker per upstream: while it is open, no effect uses up an attempt of a holder."""

from collections.abc import Callable
from typing import NamedTuple

from connector.core.errors import Family, Fault, Scope
from connector.core.metrics import CircuitState

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LONGEST_ASKED = 3600.0
CLOCK_ERROR = 0.001
"""Two differences of readings of one clock are equal up to this."""


class Standing(NamedTuple):
    """The state of an upstream's circuit, the fault behind it, and three durations in seconds.

    ``age``: of the state; ``next_try``: until the next probe, while it is open; ``answered``:
    since the last effect that succeeded, None before the first.
    """

    state: CircuitState
    fault: Fault | None
    age: float
    next_try: float | None
    answered: float | None


class CircuitBreaker:
    """Opens on a fault of the whole upstream; a probe decides after a growing pause.

    A probe concerns no user, so that no user's answer decides for all. Once it is answered, effects
    pass again, and the first that succeeds closes the breaker; a fault of the whole upstream opens
    it again for longer than before.

    Args:
        monotonic: seconds that only go forward.
        changed: called once per change with the new state and the fault behind it, so that one
            outage is one alarm.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        changed: Callable[[CircuitState, Fault | None], None],
    ) -> None:
        self.monotonic = monotonic
        self._changed = changed
        self._until = 0.0
        self._failures = 0
        self._state: CircuitState = "closed"
        self._probing = False
        self._changed_at = monotonic()
        self._answered_at: float | None = None
        self.fault: Fault | None = None

    @property
    def open(self) -> bool:
        """Whether effects are held back."""
        return self._state == "open"

    @property
    def state(self) -> CircuitState:
        """Closed, open, or half open: a probe was answered, no effect has succeeded yet."""
        return self._state

    def standing(self) -> "Standing":
        """State, fault and times, to show to operators."""
        now = self.monotonic()
        answered = None if self._answered_at is None else now - self._answered_at
        next_try = self.wait() if self.open else None
        return Standing(self._state, self.fault, now - self._changed_at, next_try, answered)

    def wait(self) -> float:
        """Seconds until a probe may be sent; 0 when something may pass now."""
        return max(self._until - self.monotonic(), 0.0) if self.open else 0.0

    def probe_due(self) -> bool:
        """Whether a probe should be sent now."""
        return self.open and not self._probing and self.wait() == 0

    def probe_begun(self) -> None:
        """Note that a probe was started; only one runs at a time."""
        self._probing = True

    def probe_withdrawn(self) -> None:
        """Note that the probe was cancelled."""
        self._probing = False

    def probed(self, fault: Fault | None) -> None:
        """Note the outcome of a probe; a refusal that concerns one subject counts as an answer."""
        self._probing = False
        if not self.open:
            return
        if fault is None or _is_answer(fault):
            self._to("half_open")
            return
        self._failures += 1
        self._trip(fault)

    def ended(self, fault: Fault | None, seconds: float = 0.0) -> None:
        """Note the outcome of an effect; only a fault of the whole upstream opens the breaker.

        An effect that began before the probe was answered says nothing about the present, and
        neither does one that is to be tried again. ``seconds``: how long the effect took.
        """
        if self._state == "half_open" and self._began_before_the_probe(seconds):
            return
        if fault is not None and fault.scope is Scope.UPSTREAM:
            self._failures += not self.open
            self._trip(fault)
        elif not self.open and _is_answer(fault):
            self._answered_at = self.monotonic()
            self.reset()

    def _began_before_the_probe(self, seconds: float) -> bool:
        return seconds > self.monotonic() - self._changed_at + CLOCK_ERROR

    def reset(self) -> None:
        """Close: an effect succeeded, or the credentials were reloaded."""
        self.fault, self._failures, self._until = None, 0, 0.0
        self._to("closed")

    def _trip(self, fault: Fault) -> None:
        pause = min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE)
        asked = min(fault.retry_after or 0.0, LONGEST_ASKED)
        self._until = max(self._until, self.monotonic() + max(pause, asked))
        if self.fault is None or fault.scope is Scope.UPSTREAM:
            self.fault = fault
        self._to("open")

    def _to(self, state: CircuitState) -> None:
        if state != self._state:
            self._state = state
            self._changed_at = self.monotonic()
            self._changed(state, self.fault)


def _is_answer(fault: Fault | None) -> bool:
    """Whether the upstream answered; a permanent refusal for one subject is an answer too."""
    if fault is None:
        return True
    return fault.scope is Scope.SUBJECT and fault.family is not Family.TRANSIENT
