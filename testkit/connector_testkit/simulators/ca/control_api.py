"""The control API under ``/_sim/``: orders for the simulated CA, and looks behind its curtain.

It has no authentication and answers with secrets (``/_sim/markers``), so it listens on loopback
only. Bodies and answers are the models of :mod:`connector_testkit.simulators.ca.commands`.
"""

from collections.abc import Awaitable, Callable, Sequence
from ssl import DER_cert_to_PEM_cert

import orjson
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from pydantic import BaseModel

from connector_testkit.simulators.ca.api import Parts
from connector_testkit.simulators.ca.commands import (
    CertificateInfo,
    Decision,
    Issue,
    LieOrder,
    Message,
    NewPerson,
    NotifyFaults,
    Operation,
    Renew,
    Revoke,
    Webhook,
)
from connector_testkit.simulators.ca.markers import markers
from connector_testkit.simulators.ca.notifier import Notifier
from connector_testkit.simulators.ca.problems import Refusal, refused
from connector_testkit.simulators.ca.registry import Escrowed
from connector_testkit.simulators.ca.wire import read_body

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlApi:
    """Handlers of one simulated CA's control API."""

    def __init__(self, parts: Parts, notifier: Notifier) -> None:
        self._parts = parts
        self._notifier = notifier

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(middlewares=[_refusals])
        application.add_routes([*self._orders(), *self._looks()])
        return application

    def _orders(self) -> list[web.RouteDef]:
        return [
            web.post("/_sim/persons", self._person),
            web.post("/_sim/issue", self._issue),
            web.post("/_sim/renew", self._renew),
            web.post("/_sim/revoke", self._revoke),
            web.post("/_sim/requests/{request_id}/{decision:grant|deny|expire}", self._decide),
            web.post("/_sim/lies", self._lie),
            web.delete("/_sim/lies", self._honest),
            web.post("/_sim/release", self._release),
            web.post("/_sim/webhook", self._webhook),
            web.post("/_sim/notify-faults", self._notify_faults),
        ]

    def _looks(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/", self._summary),
            web.get("/_sim/requests", self._requests),
            web.get("/_sim/certificates", self._certificates),
            web.get("/_sim/ledger", self._ledger),
            web.get("/_sim/ledger/wait", self._wait),
            web.get("/_sim/markers", self._markers),
            web.get("/_sim/notifications", self._notifications),
            web.get("/_sim/notifications/idle", self._idle),
        ]

    async def _person(self, request: web.Request) -> web.Response:
        self._parts.registry.put(await read_body(request, NewPerson))
        return web.Response(status=204)

    async def _issue(self, request: web.Request) -> web.Response:
        order = await read_body(request, Issue)
        generation = await self._parts.registry.issue(order)
        return self._issued("certificates.issued", generation, notify=order.notify)

    async def _renew(self, request: web.Request) -> web.Response:
        order = await read_body(request, Renew)
        generation = await self._parts.registry.renew(order)
        return self._issued("certificates.renewed", generation, notify=order.notify)

    async def _revoke(self, request: web.Request) -> web.Response:
        order = await read_body(request, Revoke)
        generation = self._parts.registry.revoke(order)
        return self._issued("certificates.revoked", generation, notify=order.notify)

    def _issued(self, kind: str, generation: Escrowed, *, notify: bool) -> web.Response:
        if notify:
            self._notifier.notify(kind, generation.order.person, generation.fingerprint)
        return _answer(self._certificate(generation))

    async def _decide(self, request: web.Request) -> web.Response:
        decision = Decision(request.match_info["decision"])
        recovery = self._parts.recoveries.decide(request.match_info["request_id"], decision)
        return _answer(recovery.info())

    async def _lie(self, request: web.Request) -> web.Response:
        self._parts.lies.order(await read_body(request, LieOrder))
        return web.Response(status=204)

    async def _honest(self, _: web.Request) -> web.Response:
        self._parts.lies.clear()
        return web.Response(status=204)

    async def _release(self, _: web.Request) -> web.Response:
        self._parts.stalls.release()
        return web.Response(status=204)

    async def _webhook(self, request: web.Request) -> web.Response:
        self._notifier.configure(await read_body(request, Webhook))
        return web.Response(status=204)

    async def _notify_faults(self, request: web.Request) -> web.Response:
        self._notifier.fault(await read_body(request, NotifyFaults))
        return web.Response(status=204)

    async def _summary(self, _: web.Request) -> web.Response:
        """What the simulator holds at the moment, in numbers."""
        persons = list(self._parts.registry)
        return web.json_response(
            {
                "simulator": "ca",
                "persons": len(persons),
                "certificates": sum(len(person.generations) for person in persons),
                "requests": len(list(self._parts.recoveries.all())),
                "notifications": len(self._notifier.all()),
            }
        )

    async def _requests(self, _: web.Request) -> web.Response:
        return _answers([recovery.info() for recovery in self._parts.recoveries.all()])

    async def _certificates(self, request: web.Request) -> web.Response:
        wanted = request.query.get("person")
        return _answers(
            [
                self._certificate(generation)
                for person in self._parts.registry
                if wanted in {None, person.record.person}
                for generation in person.generations
            ]
        )

    async def _ledger(self, request: web.Request) -> web.Response:
        return _answers(self._parts.ledger.since(int(request.query.get("since", "0"))))

    async def _wait(self, request: web.Request) -> web.Response:
        operation, count = Operation(request.query["operation"]), int(request.query["count"])
        seen = await self._parts.ledger.wait(operation, count)
        return web.json_response({"count": seen})

    async def _markers(self, _: web.Request) -> web.Response:
        return _answer(markers(self._parts.registry, self._parts.passwords))

    async def _notifications(self, _: web.Request) -> web.Response:
        return _answers(self._notifier.all())

    async def _idle(self, _: web.Request) -> web.Response:
        await self._notifier.idle()
        return web.Response(status=204)

    def _certificate(self, generation: Escrowed) -> CertificateInfo:
        encoding = serialization.Encoding.PEM
        return CertificateInfo(
            person=generation.order.person,
            fingerprint=generation.fingerprint,
            usage=generation.order.usage,
            certificate=DER_cert_to_PEM_cert(generation.der),
            chain="".join(c.public_bytes(encoding).decode() for c in self._parts.authority.chain),
            not_before=generation.leaf.not_before.replace(microsecond=0),
            not_after=generation.leaf.not_after.replace(microsecond=0),
            revoked=generation.revoked_at is not None,
            single_use=generation.order.single_use,
        )


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal)


def _answer(content: BaseModel) -> web.Response:
    return web.Response(body=content.model_dump_json(), content_type="application/json")


def _answers(content: Sequence[Message]) -> web.Response:
    documents = [entry.model_dump(mode="json") for entry in content]
    return web.Response(body=orjson.dumps(documents), content_type="application/json")
