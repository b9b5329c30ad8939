"""Control interface, part 4: clock, switches, ledger, markers, accepted account, reset."""

from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from connector_testkit.simulators.uem.api_faults import ApiFault
from connector_testkit.simulators.uem.control_request import answer, read
from connector_testkit.simulators.uem.fault_box import FaultBox
from connector_testkit.simulators.uem.options import Behaviour
from connector_testkit.simulators.uem.store import Store
from connector_testkit.simulators.uem.tenant import Tenant
from connector_testkit.simulators.uem.webhook import WebhookSender

LONGEST_WAIT = 60.0


class Turn(BaseModel):
    """How to turn the clock: to an offset from the machine's time, or on by some seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offset: float | None = None
    advance: float = 0.0


class Account(BaseModel):
    """What the interface accepts from now on; None leaves it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    password: str | None = None
    tenant_code: str | None = None


class ControlState:
    """Handlers of everything that is one of a kind."""

    def __init__(
        self,
        tenant: Tenant,
        store: Store,
        faults: FaultBox[ApiFault],
        webhook: WebhookSender,
    ) -> None:
        self._tenant = tenant
        self._store = store
        self._faults = faults
        self._webhook = webhook

    def routes(self) -> list[web.RouteDef]:
        """What this part offers."""
        return [
            web.get("/_sim/", self._summary),
            web.get("/_sim/clock", self._clock),
            web.put("/_sim/clock", self._turn),
            web.get("/_sim/options", self._options),
            web.patch("/_sim/options", self._switch),
            web.put("/_sim/account", self._account),
            web.get("/_sim/ledger", self._ledger),
            web.get("/_sim/markers", self._markers),
            web.post("/_sim/reset", self._reset),
        ]

    async def _summary(self, _: web.Request) -> web.Response:
        """What the simulator holds at the moment, in numbers."""
        return answer(
            {
                "simulator": "uem",
                "users": len(self._tenant.users),
                "devices": len(self._tenant.devices),
                "copies": len(self._tenant.copies),
                "uploads": self._tenant.uploads,
                **self._time(),
            }
        )

    async def _clock(self, _: web.Request) -> web.Response:
        return answer(self._time())

    async def _turn(self, request: web.Request) -> web.Response:
        turn, clock = await read(request, Turn), self._tenant.clock
        if turn.offset is not None:
            clock.set_offset(timedelta(seconds=turn.offset))
        clock.advance(timedelta(seconds=turn.advance))
        self._tenant.timetable.settle()
        return answer(self._time())

    def _time(self) -> dict[str, Any]:
        clock = self._tenant.clock
        offset = clock.offset.total_seconds()
        return {"now": clock.now().isoformat(), "offset": offset, "real": clock.real().isoformat()}

    async def _options(self, _: web.Request) -> web.Response:
        return answer(self._tenant.behaviour.model_dump(mode="json"))

    async def _switch(self, request: web.Request) -> web.Response:
        changes = orjson.loads(await request.read() or b"{}")
        current = self._tenant.behaviour.model_dump(mode="json")
        self._tenant.behaviour = Behaviour.model_validate({**current, **changes})
        self._store.reschedule()
        return await self._options(request)

    async def _account(self, request: web.Request) -> web.Response:
        account = await read(request, Account)
        if account.password is not None:
            self._tenant.password = account.password
        if account.tenant_code is not None:
            self._tenant.tenant_code = account.tenant_code
        return answer({})

    async def _ledger(self, request: web.Request) -> web.Response:
        """Entries after ``since``, of the ``kind``s; with ``wait`` seconds until there is one."""
        query = request.query
        since, kinds = int(query.get("since", "0")), frozenset(query.getall("kind", []))
        wait = min(float(query.get("wait", "0")), LONGEST_WAIT)
        ledger = self._tenant.ledger
        entries = await ledger.wait(since, kinds, wait) if wait else ledger.since(since, kinds)
        return answer({"entries": entries})

    async def _markers(self, _: web.Request) -> web.Response:
        return answer({"markers": self._tenant.markers.all()})

    async def _reset(self, _: web.Request) -> web.Response:
        self._tenant.reset()
        self._store.clear()
        self._faults.clear()
        self._webhook.faults.clear()
        return answer({})
