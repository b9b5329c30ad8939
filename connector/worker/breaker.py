"""One breaker per upstream: while an upstream as a whole is at fault, nobody uses up an attempt."""

from collections.abc import Callable

from connector.core.errors import Fault, Scope
from connector.core.metrics import CircuitState

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LONGEST_ASKED = 3600.0


class Breaker:
    """Opens on a fault of the whole upstream, lets one probe through after a growing pause.

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
        """Start closed: everything may pass."""
        self.monotonic = monotonic
        self._changed = changed
        self._until = 0.0
        self._failures = 0
        self._probing = False
        self.fault: Fault | None = None

    @property
    def open(self) -> bool:
        """Whether nothing may pass at the moment."""
        if self.fault is None:
            return False
        return self._probing or self.monotonic() < self._until

    @property
    def state(self) -> CircuitState:
        """Closed, open, or open but for the one probe that is under way."""
        if self.fault is None:
            return "closed"
        return "half_open" if self._probing else "open"

    def wait(self) -> float:
        """Seconds until a probe may pass; 0 when something may pass now."""
        return max(self._until - self.monotonic(), 0.0) if self.fault is not None else 0.0

    def entered(self) -> None:
        """An effect starts; behind a fault it is the one probe."""
        if self.fault is not None and not self._probing:
            self._probing = True
            self._changed("half_open", self.fault)

    def withdrawn(self) -> None:
        """An effect that had entered was not done after all."""
        self._probing = False

    def ended(self, fault: Fault | None) -> None:
        """An effect ended; only a fault of the whole upstream opens the breaker."""
        if fault is not None and fault.scope is Scope.UPSTREAM:
            self._trip(fault)
        elif self.fault is not None:
            self.reset()

    def reset(self) -> None:
        """Close: the upstream answered, or its credentials were reloaded."""
        was_open = self.fault is not None
        self.fault, self._failures, self._probing, self._until = None, 0, False, 0.0
        if was_open:
            self._changed("closed", None)

    def _trip(self, fault: Fault) -> None:
        first = self.fault is None or self._probing
        if self._probing or self.fault is None:
            self._failures += 1
        pause = min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE)
        asked = min(fault.retry_after or 0.0, LONGEST_ASKED)
        self._until = max(self._until, self.monotonic() + max(pause, asked))
        self.fault, self._probing = fault, False
        if first:
            self._changed("open", fault)
