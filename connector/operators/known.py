"""Reject filters that cannot match anything, such as a misspelt route."""

from collections.abc import Collection

from connector.catalogue import catalogue
from connector.core.errors import Rejected
from connector.core.journal import StatusFilter
from connector.core.states import DeviceStatus, Phase

PHASES = frozenset({*Phase, *DeviceStatus})


def check_names(query: StatusFilter, routes: Collection[str]) -> None:
    """Reject a filter that cannot match. Call it only if nothing matched: routes can be removed.

    Raises:
        Rejected: ``EVT-007``.
    """
    if query.route is not None and query.route not in routes:
        raise Rejected("EVT-007", "no such route is configured")
    if query.phase is not None and query.phase not in PHASES:
        raise Rejected("EVT-007", f"no such phase; there are: {', '.join(sorted(PHASES))}")
    if query.code is not None and query.code not in catalogue():
        raise Rejected("EVT-007", "no such error code")
