"""Journal time: a wall clock that never goes back and does not follow a jump forward.

Due times are wall-clock milliseconds, so that they mean something after a restart. If the wall
clock stepped back, everything would stand still; if it leapt forward, everything would expire. So
time here goes on with the monotonic clock, and takes the wall's word only while the two agree.
"""

from connector.core.metrics import Direction
from connector.core.model import Millis
from connector.core.ports import Clock


class JournalTime:
    """Milliseconds for decisions.

    Args:
        clock: wall and monotonic clock of the machine.
        jump: how far the wall may run ahead before it is not believed, in milliseconds.
        last: the newest time that the journal has seen; time starts no earlier.
    """

    def __init__(self, clock: Clock, jump: Millis, last: Millis) -> None:
        """Start at the later of wall clock and journal."""
        self._clock = clock
        self._jump = jump
        self._now = max(clock.now(), last)
        self._mark = clock.monotonic()
        self.in_doubt = False
        """Whether the wall clock has leapt ahead: nothing expires until it agrees again."""
        self._back = False
        self._noticed: list[Direction] = []

    def now(self) -> Millis:
        """The time of decisions; never smaller than the one before."""
        mark = self._clock.monotonic()
        expected = self._now + int((mark - self._mark) * 1000)
        wall = self._clock.now()
        ahead = wall - expected
        self._watch(ahead)
        if ahead > self._jump or ahead <= 0:
            self._keep(expected, mark)
        else:
            self._keep(wall, mark)
        return self._now

    def jumps(self) -> list[Direction]:
        """The jumps of the wall clock that were noticed since this was last asked."""
        noticed, self._noticed = self._noticed, []
        return noticed

    def _watch(self, ahead: Millis) -> None:
        doubt = ahead > self._jump
        if doubt and not self.in_doubt:
            self._noticed.append("forward")
        if ahead < -self._jump and not self._back:
            self._noticed.append("backward")
        self._back = ahead < -self._jump
        self.in_doubt = doubt

    def _keep(self, now: Millis, mark: float) -> None:
        if now > self._now:  # keep the fraction of a millisecond that has not elapsed yet
            self._now, self._mark = now, mark
