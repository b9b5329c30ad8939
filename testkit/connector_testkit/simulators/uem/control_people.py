"""Control interface, part 1: users, and the copies that the UEM holds of their certificates."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from connector_testkit.simulators.uem.control_request import answer, number, read
from connector_testkit.simulators.uem.people import NewUser, People, UserChange
from connector_testkit.simulators.uem.records import User
from connector_testkit.simulators.uem.store import Store
from connector_testkit.simulators.uem.tenant import Tenant


class ControlPeople:
    """Handlers under ``/_sim/users``, ``/_sim/copies`` and ``/_sim/purge``."""

    def __init__(self, tenant: Tenant, people: People, store: Store) -> None:
        self._tenant = tenant
        self._people = people
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """What this part offers."""
        return [
            web.get("/_sim/users", self._all),
            web.post("/_sim/users", self._add),
            web.get(r"/_sim/users/{id:\d+}", self._one),
            web.patch(r"/_sim/users/{id:\d+}", self._change),
            web.delete(r"/_sim/users/{id:\d+}", self._delete),
            web.get(r"/_sim/users/{id:\d+}/copy", self._copy),
            web.get("/_sim/copies", self._copies),
            web.post("/_sim/purge", self._purge),
        ]

    async def _all(self, _: web.Request) -> web.Response:
        return answer({"users": [asdict(user) for user in self._tenant.users.values()]})

    async def _add(self, request: web.Request) -> web.Response:
        user = self._people.add(await read(request, NewUser))
        return answer(asdict(user), 201)

    async def _one(self, request: web.Request) -> web.Response:
        return answer(asdict(self._known(request)))

    async def _change(self, request: web.Request) -> web.Response:
        user = self._known(request)
        self._people.change(user, await read(request, UserChange))
        return answer(asdict(user))

    async def _delete(self, request: web.Request) -> web.Response:
        self._people.delete(self._known(request))
        return answer({})

    async def _copy(self, request: web.Request) -> web.Response:
        return answer(self._shown(self._known(request).id))

    async def _copies(self, _: web.Request) -> web.Response:
        return answer({"copies": [self._shown(user) for user in self._tenant.copies]})

    async def _purge(self, request: web.Request) -> web.Response:
        """Purge now: one user's copy (``?user=ID``) or all."""
        wanted = request.query.get("user")
        users = list(self._tenant.copies) if wanted is None else [int(wanted)]
        now = self._tenant.clock.now()
        return answer({"purged": [user for user in users if self._store.purge(user, "order", now)]})

    def _shown(self, user: int) -> dict[str, Any]:
        content = self._tenant.copies.get(user)
        return {
            "user": user,
            "present": content is not None,
            **(content.facts() if content else {}),
        }

    def _known(self, request: web.Request) -> User:
        return self._tenant.users[number(request)]
