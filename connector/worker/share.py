"""Which part of what all processes may do together is this one's: owned ÷ all partitions."""

from collections.abc import Callable

Owned = tuple[int, int]
"""How many partitions are owned here, and how many there are."""

SETTLED = 1.0
"""Seconds after which another process has surely heard that partitions are not its own any more."""


def whole() -> Owned:
    """The share of whoever is alone."""
    return 1, 1


class Share:
    """A share that shrinks at once and grows late.

    While partitions move, the one who loses them and the one who gains them hear of it at
    different moments. As nobody uses what he gained before the other has let go of it, all shares
    together are never more than one.

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
    """The part of a rate that a share is, in requests per second."""
    owned, every = share
    return rate * owned / every if owned else 0.0


def room_of(parallel: int, share: Owned) -> int:
    """The part of a number of places that a share is, at least one for whoever owns anything."""
    owned, every = share
    return max(parallel * owned // every, 1) if owned else 0


def keys_of(left: int, share: Owned, *, first: bool) -> int:
    """The part of the keys that are left which a share is, rounded down.

    The owner of partition 0 (``first``) takes what rounding down leaves over at all others
    together, so that the parts of all are never more than what is left.
    """
    owned, every = share
    left = max(left, 0)
    return left - left * (every - owned) // every if first else left * owned // every
