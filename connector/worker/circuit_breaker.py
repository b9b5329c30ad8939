"""One breaker per upstream: while an upstream as a whole is at fault, no attempt is used up."""

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
    """How an upstream stands: state, the fault behind it, and three spans in seconds.

    ``age`` of the state; ``next_try`` until the next probe while it is open; ``answered`` since an
    effect succeeded last, None for not yet.
    """

    state: CircuitState
    fault: Fault | None
    age: float
    next_try: float | None
    answered: float | None


class CircuitBreaker:
    """Opens on a fault of the whole upstream; a probe decides after a growing pause.

    A probe is one cheap request about no user, so that no single look decides for all of them. Once
    it was answered effects pass again, and the first that succeeds ends the outage; one that meets
    a fault of the whole upstream makes the pause longer than before.

    Args:
        monotonic: seconds that only go forward.
        changed: told the new state and the fault behind it; called once per change, so that one
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
        """Whether no effect may pass at the moment."""
        return self._state == "open"

    @property
    def state(self) -> CircuitState:
        """Closed, open, or half open: a probe was answered, no effect has succeeded yet."""
        return self._state

    def standing(self) -> "Standing":
        """How it stands, for people."""
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
        """A probe is under way; there is one at a time."""
        self._probing = True

    def probe_withdrawn(self) -> None:
        """The probe was not done after all."""
        self._probing = False

    def probed(self, fault: Fault | None) -> None:
        """A probe ended; a refusal of one subject only is an answer, too."""
        self._probing = False
        if not self.open:
            return
        if fault is None or _is_answer(fault):
            self._to("half_open")
            return
        self._failures += 1
        self._trip(fault)

    def ended(self, fault: Fault | None, seconds: float = 0.0) -> None:
        """An effect ended; only a fault of the whole upstream opens the breaker.

        One that began before the outage was over says nothing about now, and neither does one that
        is to be tried again. ``seconds``: how long the effect took.
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
    """Whether the upstream answered: it did, or it refused what concerns one subject only."""
    if fault is None:
        return True
    return fault.scope is Scope.SUBJECT and fault.family is not Family.TRANSIENT
