"""The brake on guessing: how often one address may fail to authenticate."""

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

from connector.core.errors import Rejected

IPV6_SITE = 64
"""Prefix length by which IPv6 addresses are counted: whoever has one has the whole /64."""


class FailedTries:
    """Counts failures per address in fixed windows; forgets the longest untouched when full.

    Args:
        limit: failures within one window after which the address is refused.
        window: length of a window, seconds.
        addresses: most addresses remembered.
    """

    def __init__(self, limit: int, window: float, addresses: int) -> None:
        """Begin without a failure."""
        self._limit = limit
        self._window = window
        self._addresses = addresses
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether any failure is remembered: the fast way past :meth:`check`."""
        return bool(self._seen)

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._seen)

    def check(self, address: str, now: float) -> None:
        """Refuse an address that failed too often. ``now`` is a monotonic time in seconds.

        Raises:
            Rejected: ``AUTH-003`` with the seconds to wait.
        """
        started, count = self._seen.get(_site(address), (now, 0))
        left = started + self._window - now
        if count >= self._limit and left > 0:
            raise Rejected("AUTH-003", "authenticating a webhook", retry_after=math.ceil(left))

    def note(self, address: str, now: float) -> None:
        """Count one failure."""
        site = _site(address)
        started, count = self._seen.get(site, (now, 0))
        if now - started >= self._window:
            started, count = now, 0
        self._seen[site] = (started, count + 1)
        self._seen.move_to_end(site)
        if len(self._seen) > self._addresses:
            self._seen.popitem(last=False)


def _site(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network(f"{parsed}/{IPV6_SITE}", strict=False))
    return str(parsed)
