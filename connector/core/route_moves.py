"""Which route a user may get under changed routes, as far as stored states show it.

A user's group is not stored. The route that serves a user says something about it: the group is one
of those that the route names, and none of those that the routes before it name.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from connector.core.policy import RoutePolicy


class KnownGroup(NamedTuple):
    """What is known of a user's group: one of ``within`` (empty: any), and none of ``without``."""

    within: frozenset[str]
    without: frozenset[str]

    def among(self, groups: Collection[str]) -> bool | None:
        """Whether the group is one of these; None if that is not known."""
        asked = frozenset(groups)
        possible = self.within & asked if self.within else asked - self.without
        if not possible:
            return False
        return True if self.within and self.within <= asked else None


def known_group(routes: Mapping[str, RoutePolicy], name: str, mail: str) -> KnownGroup:
    """What follows from the route ``name`` serving a user with this mail address."""
    earlier: set[str] = set()
    route = routes.get(name)
    if route is None:
        return KnownGroup(frozenset(), frozenset())
    for other in routes.values():
        if other.name == name:
            break
        if other.uem == route.uem:
            earlier |= set(other.groups)
    within = frozenset() if route.fits_mail(mail) else frozenset(route.groups) - earlier
    return KnownGroup(within, frozenset(earlier))


def possible_routes(
    routes: Mapping[str, RoutePolicy], uem: str, mail: str, group: KnownGroup
) -> tuple[str | None, ...]:
    """The routes that may serve a user, in their order; None among them for no route at all."""
    found: list[str | None] = []
    for route in routes.values():
        fits = route.uem == uem and (route.fits_mail(mail) or group.among(route.groups))
        if fits is not False:
            found.append(route.name)
        if fits:
            return tuple(found)
    return (*found, None)
