"""Journal time: a wall clock that does not go back by itself, nor follow a jump forward.

Due times are wall-clock milliseconds, so that they mean something after a restart. If the wall
clock stepped back, everything would stand still; if it leapt forward, everything would expire. So
time here goes on with the monotonic clock, and takes the wall's word only while the two agree.

At a start only the newest time of the journal says what to expect. Where the wall clock is far from
it, one of the two may be wrong: time goes on from the journal's, in doubt, until an upstream's
clock agrees with one of them or a person accepts the wall clock.
"""

from connector.core.metrics import Direction
from connector.core.model import Millis
from connector.core.ports import Clock


class JournalTime:
    """Milliseconds for decisions.

    Args:
        clock: wall and monotonic clock of the machine.
        jump: how far the wall may run ahead before it is not believed, in milliseconds.
        last: the newest time that the journal has seen; time starts no earlier. 0: it is new.
        confirmed: the newest journal time that an upstream's clock agreed with. Only a person takes
            time back behind it.
    """

    def __init__(self, clock: Clock, jump: Millis, last: Millis, confirmed: Millis = 0) -> None:
        """Start at the later of wall clock and journal; at the journal's where they are far off."""
        self._clock = clock
        self._jump = jump
        wall = clock.now()
        self.unsure = last > 0 and abs(wall - last) > jump
        """Whether it is not known what time it is: nothing may be concluded or begun by it."""
        self._now = last if self.unsure else max(wall, last)
        self._mark = clock.monotonic()
        self.confirmed = confirmed
        self._ahead = self._back = False
        self._noticed: list[Direction] = []

    @property
    def in_doubt(self) -> bool:
        """Whether the wall clock is far ahead, or the time unsure: nothing expires meanwhile."""
        return self.unsure or self._ahead

    def now(self) -> Millis:
        """The time of decisions; smaller than the one before only after a step back."""
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

    def heard(self, date: Millis | None) -> Millis:
        """What an upstream's clock says; it ends the doubt in favour of what it agrees with.

        Args:
            date: the time by that clock; None while it has said nothing.

        Returns:
            By how much time stepped back; 0 if it did not.
        """
        if date is None:
            return 0
        now, wall = self.now(), self._clock.now()
        by_wall = abs(date - wall) < abs(date - now)
        if abs(date - (wall if by_wall else now)) > self._jump:
            return 0
        if not by_wall:
            self.unsure, self.confirmed = False, now
            return 0
        if not self.unsure or (wall < now and self.confirmed > wall + self._jump):
            return 0
        return self._step(wall)

    def accept(self) -> Millis:
        """A person says that the wall clock is right; by how much time stepped back."""
        now, wall = self.now(), self._clock.now()
        if abs(wall - now) <= self._jump:
            return 0
        self.confirmed = min(self.confirmed, wall)
        return self._step(wall)

    def _step(self, wall: Millis) -> Millis:
        back = self._now - wall
        self._now, self._mark = wall, self._clock.monotonic()
        self.unsure = self._ahead = self._back = False
        return max(back, 0)

    def _watch(self, ahead: Millis) -> None:
        if abs(ahead) <= self._jump:
            self.unsure = False
        if self.unsure:
            return
        if ahead > self._jump and not self._ahead:
            self._noticed.append("forward")
        if ahead < -self._jump and not self._back:
            self._noticed.append("backward")
        self._ahead, self._back = ahead > self._jump, ahead < -self._jump

    def _keep(self, now: Millis, mark: float) -> None:
        if now > self._now:  # keep the fraction of a millisecond that has not elapsed yet
            self._now, self._mark = now, mark
