"""Waits on the clock that counts from a machine's boot: it cannot jump, and outlives a process."""

from typing import NamedTuple

from connector.core.model import Millis, Record


class BootTime(NamedTuple):
    """A moment of one boot of one machine: its name, and milliseconds since it."""

    boot: str
    at: Millis


class Awaited(Record):
    """An act that may still have an effect until ``lasts`` milliseconds after ``since``."""

    boot: str
    since: Millis
    lasts: Millis

    def left(self, now: BootTime) -> Millis:
        """How much of the wait is left; all of it if it was counted on another boot's clock."""
        if now.boot != self.boot or now.at < self.since:
            return self.lasts
        return max(self.since + self.lasts - now.at, 0)

    def counted_on(self, now: BootTime) -> "Awaited":
        """The same wait on this owner's clock; it starts now if another boot's clock counted it."""
        if now.boot == self.boot and now.at >= self.since:
            return self
        return Awaited(boot=now.boot, since=now.at, lasts=self.lasts)
