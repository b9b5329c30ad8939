"""Waits on the clock that counts from a machine's boot: it cannot leap, and outlives a process."""

from typing import NamedTuple

from connector.core.model import Millis, Record


class BootTime(NamedTuple):
    """A moment of one boot of one machine: its name, and milliseconds since it."""

    boot: str
    at: Millis


class Awaited(Record):
    """What may still have its effect until ``lasts`` milliseconds after ``since`` of a boot."""

    boot: str
    since: Millis
    lasts: Millis

    def left(self, now: BootTime) -> Millis:
        """How much of the wait is left; all of it where another clock counted it."""
        if now.boot != self.boot or now.at < self.since:
            return self.lasts
        return max(self.since + self.lasts - now.at, 0)

    def counted_on(self, now: BootTime) -> "Awaited":
        """The same wait by an owner's clock: from now on where another clock counted it."""
        if now.boot == self.boot and now.at >= self.since:
            return self
        return Awaited(boot=now.boot, since=now.at, lasts=self.lasts)
