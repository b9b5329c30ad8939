"""A limit on failed authentications per address and tenant.

It never blocks the right credentials: they are compared first. It limits the log and the work of
answering; the length of the secrets protects against guessing.
"""

import math
from collections import OrderedDict

from connector.core.errors import Rejected
from connector.sources.client_address import site_of

Key = tuple[str, int]


class FailedTries:
    """Counts failures per address and tenant in fixed windows; forgets the oldest when full.

    Args:
        limit: failures within one window, after which the answer is to wait.
        window: length of a window, seconds.
        addresses: most pairs of address and tenant remembered.
    """

    def __init__(self, limit: int, window: float, addresses: int) -> None:
        self._limit = limit
        self._window = window
        self._addresses = addresses
        self._seen: OrderedDict[Key, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        """How many pairs are remembered."""
        return len(self._seen)

    def note(self, address: str, tenant: str, now: float) -> None:
        """Count one failure. ``tenant`` is the one addressed, known or not.

        Args:
            address: the client's.
            tenant: only its hash is kept, since a stranger chooses it.
            now: a monotonic time in seconds.

        Raises:
            Rejected: ``AUTH-003`` with the seconds to wait, when there were too many before.
        """
        key = (site_of(address), hash(tenant))
        started, count = self._seen.get(key, (now, 0))
        left = started + self._window - now
        if left <= 0:
            started, count = now, 0
        elif count >= self._limit:
            raise Rejected("AUTH-003", "authenticating a webhook", retry_after=math.ceil(left))
        self._seen[key] = (started, count + 1)
        self._seen.move_to_end(key)
        if len(self._seen) > self._addresses:
            self._seen.popitem(last=False)
