"""Whether what a question names exists: an empty answer to a misspelt name looks like peace."""

from collections.abc import Collection

from connector.catalogue import catalogue
from connector.core.errors import Rejected
from connector.core.journal import StatusFilter
from connector.core.states import DeviceStatus, Phase

PHASES = frozenset({*Phase, *DeviceStatus})


def check_names(query: StatusFilter, routes: Collection[str]) -> None:
    """Refuse a filter that can fit nobody. Ask only when it fitted nobody: routes are removed.

    Raises:
        Rejected: ``EVT-007``.
    """
    if query.route is not None and query.route not in routes:
        raise Rejected("EVT-007", "no such route is configured")
    if query.phase is not None and query.phase not in PHASES:
        raise Rejected("EVT-007", f"no such phase; there are: {', '.join(sorted(PHASES))}")
    if query.code is not None and query.code not in catalogue():
        raise Rejected("EVT-007", "no such error code")
