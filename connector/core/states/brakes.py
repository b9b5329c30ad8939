"""The brakes of a partition."""

from connector.core.model import Millis, Record


class Brakes(Record):
    """What a person or a ceiling holds back in one partition. Kept in the partition's record."""

    all_paused: bool = False
    routes_paused: frozenset[str] = frozenset()
    paused_since: Millis | None = None
    released_at: Millis | None = None
    disclosed: tuple[tuple[Millis, int], ...] = ()
