"""The brakes of a partition."""

from collections.abc import Iterable

from connector.core.lenient import LenientRecord
from connector.core.model import Millis


class StandingPause(LenientRecord):
    """A pause in force, on one route or on all (``route`` None): by whom, since when, and why.

    ``by`` and ``reason`` are empty where an earlier version applied it.
    """

    route: str | None = None
    by: str = ""
    reason: str = ""
    since: Millis | None = None

    def holds(self, route: str | None) -> bool:
        """Whether it holds back the acts of a route."""
        return self.route is None or self.route == route


class Brakes(LenientRecord):
    """Pauses, and keys disclosed, of one partition. Kept in the partition's record.

    ``pauses`` says who applied what of ``all_paused`` and ``routes_paused``, and why.
    """

    all_paused: bool = False
    routes_paused: frozenset[str] = frozenset()
    paused_since: Millis | None = None
    released_at: Millis | None = None
    disclosed: tuple[tuple[Millis, int], ...] = ()
    pauses: tuple[StandingPause, ...] = ()

    def has(self, route: str | None) -> bool:
        """Whether the pause of this route, or the one of all (``route`` None), is in force."""
        return self.all_paused if route is None else route in self.routes_paused

    def standing(self) -> tuple[StandingPause, ...]:
        """The pauses in force, the one on all routes first."""
        told = {one.route: one for one in self.pauses}
        routes: list[str | None] = [None] if self.all_paused else []
        routes += sorted(self.routes_paused)
        untold = StandingPause(since=self.paused_since)
        return tuple(
            told.get(route) or untold.model_copy(update={"route": route}) for route in routes
        )


def standing(held: Iterable[Brakes]) -> tuple[StandingPause, ...]:
    """The pauses of several partitions: of each route the one that was applied first."""
    found: dict[str | None, StandingPause] = {}
    for pause in (pause for brakes in held for pause in brakes.standing()):
        other = found.get(pause.route)
        if other is None or (pause.since or 0, not pause.by) < (other.since or 0, not other.by):
            found[pause.route] = pause
    return tuple(sorted(found.values(), key=lambda one: (one.route is not None, one.route or "")))
