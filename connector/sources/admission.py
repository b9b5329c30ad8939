"""Which connections stay when there are too many: strangers are dropped before known callers.

A connection is a *stranger's* until its first request with the right credentials. An address that
authenticated before, or that belongs to a listed proxy, is *familiar*: it has no limit of its own,
and a part of all connections is reserved for it. When a limit is reached, the oldest stranger is
dropped, so that a caller who authenticates soon after connecting always finds a place.
"""

from collections import OrderedDict, defaultdict
from typing import NamedTuple, Protocol

from connector.core.metric_definitions import WEBHOOK_CONNECTIONS_ENDED
from connector.core.metrics import ConnectionEnd, Metrics
from connector.sources.client_address import site_of

RESERVED = 8
"""One in this number of connections is kept for familiar addresses."""

MOST_FAMILIAR = 1024
"""Number of addresses kept as authenticated before; the longest unused is dropped first."""


class Guest(Protocol):
    """The part of a connection that admission needs."""

    def drop(self) -> None:
        """Close at once."""
        ...


class Room(NamedTuple):
    """The limits: connections, strangers of one address, bytes of all strangers."""

    connections: int
    per_address: int
    stranger_bytes: int


class Admission:
    """Counts all open connections.

    Args:
        room: the limits.
        metrics: counts connections that were closed for lack of room.
    """

    def __init__(self, room: Room, metrics: Metrics) -> None:
        self._room = room
        self._open_to_all = room.connections - room.connections // RESERVED
        self._metrics = metrics
        self._sites: dict[Guest, str] = {}
        self._strangers: OrderedDict[Guest, None] = OrderedDict()
        self._familiar_strangers: OrderedDict[Guest, None] = OrderedDict()
        self._by_site: defaultdict[str, OrderedDict[Guest, None]] = defaultdict(OrderedDict)
        self._familiar: OrderedDict[str, None] = OrderedDict()
        self._held: OrderedDict[Guest, int] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._sites)

    @property
    def bytes_of_strangers(self) -> int:
        """Bytes held for callers that are not authenticated yet."""
        return self._bytes

    def enter(self, guest: Guest, address: str, *, is_proxy: bool) -> bool:
        """Admit a new connection, perhaps by dropping a stranger; whether there was room."""
        site = site_of(address)
        is_familiar = is_proxy or site in self._familiar
        if not is_familiar and len(self._by_site.get(site, ())) >= self._room.per_address:
            self._drop(next(iter(self._by_site[site])), "address")
        if len(self) >= (self._room.connections if is_familiar else self._open_to_all):
            oldest = next(iter(self._strangers), None)
            if oldest is None and is_familiar:
                oldest = next(iter(self._familiar_strangers), None)
            if oldest is None:
                self._metrics.count(WEBHOOK_CONNECTIONS_ENDED, reason="full")
                return False
            self._drop(oldest, "oldest")
        self._sites[guest] = site
        if is_familiar:
            self._familiar_strangers[guest] = None
        else:
            self._strangers[guest] = self._by_site[site][guest] = None
        return True

    def let_in(self, guest: Guest) -> None:
        """The caller has authenticated: no stranger any more, and the address is familiar."""
        site = self._sites.get(guest)
        if site is None:
            return
        self.release(guest)
        for sibling in self._by_site.pop(site, ()):
            self._strangers.pop(sibling)
            self._familiar_strangers[sibling] = None
        self._familiar_strangers.pop(guest, None)
        self._familiar[site] = None
        self._familiar.move_to_end(site)
        if len(self._familiar) > MOST_FAMILIAR:
            self._familiar.popitem(last=False)

    def leave(self, guest: Guest) -> None:
        """The connection has ended, for any reason; calling this twice is harmless."""
        site = self._sites.pop(guest, None)
        if site is None:
            return
        self.release(guest)
        self._familiar_strangers.pop(guest, None)
        if guest in self._strangers:
            self._strangers.pop(guest)
            self._by_site[site].pop(guest)
            if not self._by_site[site]:
                self._by_site.pop(site)

    def hold(self, guest: Guest, size: int) -> None:
        """Count bytes held for a stranger; the oldest stranger may be dropped for them."""
        if guest not in self._sites:
            return
        self._held[guest] = self._held.get(guest, 0) + size
        self._bytes += size
        while self._bytes > self._room.stranger_bytes:
            self._drop(next(iter(self._held)), "bytes")

    def held(self, guest: Guest) -> int:
        """Bytes held for this connection."""
        return self._held.get(guest, 0)

    def release(self, guest: Guest) -> None:
        """Its bytes are not held any more."""
        self._bytes -= self._held.pop(guest, 0)

    def _drop(self, guest: Guest, why: ConnectionEnd) -> None:
        self._metrics.count(WEBHOOK_CONNECTIONS_ENDED, reason=why)
        self.leave(guest)
        guest.drop()
