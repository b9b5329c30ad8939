"""Which connections may stay while there are too many: strangers make room for known callers.

A connection is a *stranger's* until its first request with the right credentials. An address that
was let in once, or that belongs to a listed proxy, is *familiar*: it is not limited by itself, and
a part of all connections is kept for it. Whenever something is full, the oldest stranger goes, so
that a caller who says who they are soon after connecting always finds a place.
"""

from collections import OrderedDict, defaultdict
from typing import NamedTuple, Protocol

from connector.core.metrics import ConnectionEnd, IntakeMetrics
from connector.sources.client_address import site_of

RESERVED = 8
"""One connection of so many is kept for familiar addresses."""

MOST_FAMILIAR = 1024
"""Addresses that are remembered as let in before; the longest unused is forgotten first."""


class Guest(Protocol):
    """A connection as this file sees it."""

    def drop(self) -> None:
        """End at once."""
        ...


class Room(NamedTuple):
    """How much there is: connections, strangers of one address, bytes of all strangers."""

    connections: int
    per_address: int
    stranger_bytes: int


class Admission:
    """Keeps count of all open connections.

    Args:
        room: how much there is.
        metrics: told of connections that were ended for lack of room.
    """

    def __init__(self, room: Room, metrics: IntakeMetrics) -> None:
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
        """How much callers that are not known yet have made us hold."""
        return self._bytes

    def enter(self, guest: Guest, address: str, *, is_proxy: bool) -> bool:
        """Take a new connection in; whether there is room. A stranger may have to go for it."""
        site = site_of(address)
        is_familiar = is_proxy or site in self._familiar
        if not is_familiar and len(self._by_site.get(site, ())) >= self._room.per_address:
            self._drop(next(iter(self._by_site[site])), "address")
        if len(self) >= (self._room.connections if is_familiar else self._open_to_all):
            oldest = next(iter(self._strangers), None)
            if oldest is None and is_familiar:
                oldest = next(iter(self._familiar_strangers), None)
            if oldest is None:
                self._metrics.connection_ended("full")
                return False
            self._drop(oldest, "oldest")
        self._sites[guest] = site
        if is_familiar:
            self._familiar_strangers[guest] = None
        else:
            self._strangers[guest] = self._by_site[site][guest] = None
        return True

    def let_in(self, guest: Guest) -> None:
        """Its caller is known now: it is no stranger any more, and its address is familiar."""
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
        """It has ended, for any reason; more than once does no harm."""
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
        """A stranger sent so many more bytes that are kept. The oldest may have to go for it."""
        if guest not in self._sites:
            return
        self._held[guest] = self._held.get(guest, 0) + size
        self._bytes += size
        while self._bytes > self._room.stranger_bytes:
            self._drop(next(iter(self._held)), "bytes")

    def held(self, guest: Guest) -> int:
        """How much is kept of what this one sent."""
        return self._held.get(guest, 0)

    def release(self, guest: Guest) -> None:
        """Nothing of what it sent is kept any more."""
        self._bytes -= self._held.pop(guest, 0)

    def _drop(self, guest: Guest, why: ConnectionEnd) -> None:
        self._metrics.connection_ended(why)
        self.leave(guest)
        guest.drop()
