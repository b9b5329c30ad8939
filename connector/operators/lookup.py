"""The subject that an operator names: in the journal, or known to the UEM only."""

from collections.abc import Callable, Mapping

from connector.core.errors import Rejected
from connector.core.journal import Journal
from connector.core.policy import RoutePolicy
from connector.core.states import HolderState
from connector.operators.elsewhere import look_for, not_known, the_only, users_at_the_uem
from connector.operators.planner import Planner
from connector.operators.search import find
from connector.operators.verbs.status import Kind
from connector.operators.views import State


class Lookup:
    """Finds subjects by what people call them; ``routes`` returns the present ones."""

    def __init__(
        self, journal: Journal, planner: Planner, routes: Callable[[], Mapping[str, RoutePolicy]]
    ) -> None:
        self._journal = journal
        self._planner = planner
        self._routes = routes

    async def known(self, kind: Kind, wanted: str) -> State:
        """A subject in the journal; a holder also by names that only the UEM knows.

        Raises:
            Rejected: ``DLV-007`` with what the UEM knows, ``EVT-007`` for several.
        """
        try:
            return await self._find(kind, wanted)
        except Rejected as unknown:
            if unknown.code != "DLV-007":
                raise
        seen = await look_for(self._planner, kind, wanted)
        known = await self._journal.load(seen.users) if kind == "holder" else {}
        if len(seen.users) != 1 or not known:
            raise not_known(kind, wanted, seen)
        return known[seen.users[0]]

    async def holder(self, wanted: str) -> HolderState:
        """A known holder; or one whose notification was lost, if the UEM knows the user.

        Raises:
            Rejected: ``DLV-007`` when neither journal nor UEM knows one, ``EVT-007`` for several.
            ConnectorError: what the UEM raised.
        """
        try:
            found = await self._find("holder", wanted)
        except Rejected as unknown:
            if unknown.code != "DLV-007":
                raise
            users = await users_at_the_uem(self._planner, "holder", wanted)
            key = the_only(users, wanted)
            found = (await self._journal.load([key])).get(key, HolderState(key=key))
        if not isinstance(found, HolderState):
            raise Rejected("DLV-007", "the key names no holder")
        return found

    async def _find(self, kind: Kind, wanted: str) -> State:
        routes = self._routes().values()
        tenants = {route.ca if kind == "person" else route.uem for route in routes}
        return await find(self._journal, kind, wanted, sorted(tenants))
