"""The escrow API: the routes of ``schemas/escrow-http.openapi.yaml``, honest by default."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from connector_testkit.simulators.ca.answers import ELSEWHERE, Stalls, misbehave
from connector_testkit.simulators.ca.authority import Authority
from connector_testkit.simulators.ca.bundles import Bundles
from connector_testkit.simulators.ca.commands import BUNDLE_LIES, Lie, LieOrder, Operation
from connector_testkit.simulators.ca.ledger import Ledger
from connector_testkit.simulators.ca.lies import Lies, LyingBundles
from connector_testkit.simulators.ca.markers import Passwords
from connector_testkit.simulators.ca.problems import Refusal, refused
from connector_testkit.simulators.ca.recoveries import Recoveries
from connector_testkit.simulators.ca.registry import Registry
from connector_testkit.simulators.ca.rendering import listing, request_document
from connector_testkit.simulators.ca.wire import Fetch, NewRequest, read_body

BODY_LIMIT = 64 * 1024
PKCS12 = "application/pkcs12"


@dataclass(frozen=True)
class Parts:
    """What the API is made of; the control API turns the same parts."""

    authority: Authority
    registry: Registry
    recoveries: Recoveries
    bundles: Bundles
    lying: LyingBundles
    lies: Lies
    stalls: Stalls
    ledger: Ledger
    passwords: Passwords


@dataclass(frozen=True)
class Call:
    """One request: who asks, about what, and the lie that is due."""

    request: web.Request
    client: str
    lie: LieOrder | None

    @property
    def told(self) -> Lie | None:
        """The kind of the lie that is due."""
        return None if self.lie is None else self.lie.lie

    @property
    def person(self) -> str:
        """The person in the path."""
        return self.request.match_info["person"]

    @property
    def request_id(self) -> str:
        """The request id in the path."""
        return self.request.match_info["request_id"]


Verb = Callable[[Call], Awaitable[web.StreamResponse]]


class EscrowApi:
    """Handlers of one CA."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def application(self) -> web.Application:
        """The routes; the caller puts them behind mutual TLS."""
        application = web.Application(client_max_size=BODY_LIMIT)
        persons, requests = "/v1/persons/{person}", "/v1/requests/{request_id:[0-9a-f-]{8,64}}"
        application.add_routes(
            [
                web.get(f"{persons}/generations", self._route(Operation.LIST, self._list)),
                web.get(f"{persons}/requests", self._route(Operation.REQUESTS, self._open)),
                web.put(requests, self._route(Operation.BEGIN, self._begin)),
                web.get(requests, self._route(Operation.LOOK, self._look)),
                web.post(f"{requests}/fetch", self._route(Operation.FETCH, self._fetch)),
                web.delete(requests, self._route(Operation.CLEAN_UP, self._clean_up)),
                web.route("*", ELSEWHERE, self._route(Operation.ELSEWHERE, self._elsewhere)),
            ]
        )
        return application

    def _route(
        self, operation: Operation, verb: Verb
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            client = _client_name(request)
            person, fingerprint = await self._about(request)
            lie = self._parts.lies.told(operation, person, fingerprint)
            number = await self._parts.ledger.enter(
                operation,
                client=client,
                person=person,
                fingerprint=fingerprint,
                request_id=request.match_info.get("request_id"),
                lie=None if lie is None else lie.lie,
            )
            response = await self._answer(verb, Call(request, client, lie))
            self._parts.ledger.answered(number, response.status)
            return response

        return handle

    async def _answer(self, verb: Verb, call: Call) -> web.StreamResponse:
        if call.lie is not None:
            response = await misbehave(call.request, call.lie, self._parts.stalls)
            if response is not None:
                return response
        try:
            return await verb(call)
        except Refusal as refusal:
            return refused(refusal)

    async def _about(self, request: web.Request) -> tuple[str | None, str | None]:
        """Person and fingerprint that a request is about, as far as they are known already."""
        if "person" in request.match_info:
            return request.match_info["person"], None
        recovery = self._parts.recoveries.known(request.match_info.get("request_id", ""))
        if recovery is not None:
            return recovery.asked.person, recovery.asked.fingerprint
        if request.method != "PUT":
            return None, None
        try:
            asked = await read_body(request, NewRequest)
        except Refusal:
            return None, None
        return asked.person, asked.fingerprint

    async def _list(self, call: Call) -> web.Response:
        person = self._parts.registry.person(call.person)
        return _json(listing(person, self._parts.authority.chain, call.told))

    async def _open(self, call: Call) -> web.Response:
        found = self._parts.recoveries.open(call.person, call.client)
        documents = [request_document(recovery, call.told) for recovery in found]
        return _json({"person": call.person, "requests": documents})

    async def _begin(self, call: Call) -> web.Response:
        asked = await read_body(call.request, NewRequest)
        recovery, is_new = self._parts.recoveries.begin(call.request_id, asked, call.client)
        return _json(request_document(recovery, call.told), status=201 if is_new else 200)

    async def _look(self, call: Call) -> web.Response:
        recovery = self._parts.recoveries.look(call.request_id, call.client)
        return _json(request_document(recovery, call.told))

    async def _fetch(self, call: Call) -> web.Response:
        body = await read_body(call.request, Fetch)
        password = body.password.get_secret_value()
        self._parts.passwords.received(password)
        generation = self._parts.recoveries.fetch(call.request_id, call.client, body.fingerprint)
        if call.told in BUNDLE_LIES:
            bundle = await self._parts.lying.encode(call.told, generation, password.encode())
        else:
            bundle = self._parts.bundles.encode(generation, password.encode())
        return web.Response(
            body=bundle, headers={"Content-Type": PKCS12, "Cache-Control": "no-store"}
        )

    async def _clean_up(self, call: Call) -> web.Response:
        self._parts.recoveries.clean_up(call.request_id, call.client)
        return web.Response(status=204)

    async def _elsewhere(self, call: Call) -> web.Response:
        return _json({"elsewhere": call.request.method})


def _client_name(request: web.Request) -> str:
    certificate = request.get_extra_info("peercert") or {}
    names = dict(pair for part in certificate.get("subject", ()) for pair in part)
    return str(names.get("commonName", ""))


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json")
