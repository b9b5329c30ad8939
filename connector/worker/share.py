"""This process's share of a limit for all processes: owned ÷ all partitions."""

from collections.abc import Callable

Owned = tuple[int, int]
"""How many partitions are owned here, and how many there are."""

SETTLED = 1.0
"""Seconds after which the former owner of partitions knows that it does not own them any more."""


def whole() -> Owned:
    """The share of a process that is the only one."""
    return 1, 1


class Share:
    """A share that shrinks at once and grows after a delay.

    While partitions move, the process that loses them and the one that gains them learn of it at
    different moments. A gain counts only after the loser has stopped using it, so all shares
    together are never more than one. A process that owns everything from the start is alone and
    does not wait.

    Args:
        ask: owned and all partitions at the moment.
        monotonic: seconds.
        settle: seconds until what was gained counts.
    """

    def __init__(
        self, ask: Callable[[], Owned], monotonic: Callable[[], float], settle: float = SETTLED
    ) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._settle = settle
        owned, every = ask()
        self._heard, self._since = owned, monotonic()
        self._held = owned if owned == every else 0

    def __call__(self) -> Owned:
        """The share to keep to now."""
        owned, every = self._ask()
        now = self._monotonic()
        if owned != self._heard:
            self._heard, self._since = owned, now
        if owned < self._held or now - self._since >= self._settle:
            self._held = owned
        return self._held, every


def rate_of(rate: float, share: Owned) -> float:
    """A share's part of a rate, in requests per second."""
    owned, every = share
    return rate * owned / every if owned else 0.0


def room_of(parallel: int, share: Owned) -> int:
    """A share's part of a number of places, at least one for a process with a partition."""
    owned, every = share
    return max(parallel * owned // every, 1) if owned else 0


def keys_of(left: int, share: Owned, *, first: bool) -> int:
    """A share's part of the keys that are left, rounded down.

    The owner of partition 0 (``first``) also gets what rounding down leaves over for all others
    together, so that the parts of all are never more than what is left.
    """
    owned, every = share
    left = max(left, 0)
    return left - left * (every - owned) // every if first else left * owned // every
