"""Control interface, part 3: faults, the webhook's target, events by hand."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from connector_testkit.simulators.uem.api_faults import ApiFault, facts
from connector_testkit.simulators.uem.control_request import answer, number, read
from connector_testkit.simulators.uem.events import EventKind, describe
from connector_testkit.simulators.uem.fault_box import FaultBox
from connector_testkit.simulators.uem.options import WebhookTarget
from connector_testkit.simulators.uem.tenant import Tenant
from connector_testkit.simulators.uem.webhook import WebhookSender
from connector_testkit.simulators.uem.webhook_faults import WebhookFault


class EventByHand(BaseModel):
    """An event about a device: members are as at an enrolment, but for the ``changes``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: int
    changes: dict[str, Any] = Field(default_factory=dict)


class ControlUpstream:
    """Handlers under ``/_sim/faults`` and ``/_sim/webhook``."""

    def __init__(self, tenant: Tenant, faults: FaultBox[ApiFault], webhook: WebhookSender) -> None:
        self._tenant = tenant
        self._faults = faults
        self._webhook = webhook

    def routes(self) -> list[web.RouteDef]:
        """What this part offers."""
        return [
            web.get("/_sim/faults", self._list),
            web.post("/_sim/faults", self._put),
            web.delete("/_sim/faults", self._clear),
            web.delete(r"/_sim/faults/{id:\d+}", self._remove),
            web.get("/_sim/webhook", self._target),
            web.put("/_sim/webhook", self._aim),
            web.delete("/_sim/webhook", self._stop),
            web.post("/_sim/webhook/test", self._test),
            web.post("/_sim/webhook/events", self._post),
            web.get("/_sim/webhook/faults", self._webhook_list),
            web.post("/_sim/webhook/faults", self._webhook_put),
            web.delete("/_sim/webhook/faults", self._webhook_clear),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return answer({"faults": facts(self._faults.waiting())})

    async def _put(self, request: web.Request) -> web.Response:
        return answer({"id": self._faults.put(await read(request, ApiFault))}, 201)

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return answer({})

    async def _remove(self, request: web.Request) -> web.Response:
        return answer({"removed": self._faults.remove(number(request))})

    async def _target(self, _: web.Request) -> web.Response:
        target = self._webhook.target
        return answer({"target": target.model_dump(mode="json") if target else None})

    async def _aim(self, request: web.Request) -> web.Response:
        self._webhook.aim(await read(request, WebhookTarget))
        return await self._target(request)

    async def _stop(self, request: web.Request) -> web.Response:
        self._webhook.aim(None)
        return await self._target(request)

    async def _test(self, _: web.Request) -> web.Response:
        return answer({"status": await self._webhook.test()})

    async def _post(self, request: web.Request) -> web.Response:
        wanted = await read(request, EventByHand)
        device = self._tenant.devices[wanted.device]
        user, now = self._tenant.users[device.user], self._tenant.clock.now()
        event = describe(EventKind.ENROLLED, device, user, now, self._tenant.dates)
        self._webhook.post({**event, **wanted.changes})
        return answer({"event": {**event, **wanted.changes}}, 202)

    async def _webhook_list(self, _: web.Request) -> web.Response:
        return answer({"faults": facts(self._webhook.faults.waiting())})

    async def _webhook_put(self, request: web.Request) -> web.Response:
        return answer({"id": self._webhook.faults.put(await read(request, WebhookFault))}, 201)

    async def _webhook_clear(self, _: web.Request) -> web.Response:
        self._webhook.faults.clear()
        return answer({})
