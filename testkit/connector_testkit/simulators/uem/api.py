"""The REST interface: route, fault, tenant code, Basic, handler, headers, ledger, in this order."""

import asyncio
import base64
import binascii
import hmac
from email.utils import format_datetime

from aiohttp import web

from connector_testkit.simulators.uem.answers import ApiError, ErrorWriter, html_answer
from connector_testkit.simulators.uem.api_faults import ApiFault, faulty_answer, never_answer, reset
from connector_testkit.simulators.uem.budget import Budget
from connector_testkit.simulators.uem.call import Call
from connector_testkit.simulators.uem.fault_box import FaultBox
from connector_testkit.simulators.uem.routes import Match, Route, find
from connector_testkit.simulators.uem.tenant import Tenant


class Api:
    """Answers every request of the interface; :meth:`handle` is its only entrance."""

    def __init__(self, tenant: Tenant, table: list[Route], faults: FaultBox[ApiFault]) -> None:
        self._tenant = tenant
        self._table = table
        self._faults = faults
        self._budget = Budget(tenant)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request and write it down, also when it is never answered (status null)."""
        self._tenant.timetable.settle()
        accept = request.headers.get("Accept", "")
        match = find(self._table, request.method, request.path, accept)
        fault = self._faults.take(lambda each: each.fits(request.method, request.path))
        status: int | None = None
        try:
            answer = await self._answer(request, match, fault)
            self._decorate(answer, match)
            if fault is not None and fault.kind in {"reset", "apply_reset"}:
                reset(request)
            else:
                status = answer.status
            return answer
        finally:
            self._tenant.ledger.note(
                "request",
                method=request.method,
                path=match.route.template if match else None,
                args=match.args if match else {},
                status=status,
                fault=fault.kind if fault else None,
            )

    async def _answer(
        self, request: web.Request, match: Match | None, fault: ApiFault | None
    ) -> web.Response:
        if fault is None:
            return await self._regular(request, match)
        if fault.kind == "silent":
            await never_answer()
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault.kind == "reset":
            return web.Response()
        answer = faulty_answer(fault, self._errors(), self._tenant.new_uuid())
        if answer is not None:
            return answer
        answer = await self._regular(request, match)
        if fault.kind == "apply_silent":
            await never_answer()
        return answer

    async def _regular(self, request: web.Request, match: Match | None) -> web.Response:
        if match is None:
            return html_answer()
        try:
            self._authenticate(request)
            self._budget.spend()
            return await match.route.handler(Call.of(request, match.args))
        except ApiError as refusal:
            return self._errors().answer(refusal, self._tenant.new_uuid())
        except web.HTTPRequestEntityTooLarge:
            too_large = ApiError.invalid("Maximum request length exceeded", 413)
            return self._errors().answer(too_large, self._tenant.new_uuid())

    def _errors(self) -> ErrorWriter:
        behaviour = self._tenant.behaviour
        return ErrorWriter(behaviour.error_format, behaviour.error_members)

    def _authenticate(self, request: web.Request) -> None:
        """Tenant code first, then Basic. Raises :class:`ApiError`."""
        code = request.headers.get("aw-tenant-code", "")
        if not _same(code, self._tenant.tenant_code):
            raise ApiError.wrong_tenant()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expected = f"{self._tenant.options.api_user}:{self._tenant.password}"
        if scheme.lower() != "basic" or not _same(_decoded(token), expected):
            raise ApiError.wrong_credentials()

    def _decorate(self, answer: web.Response, match: Match | None) -> None:
        headers = answer.headers
        headers.setdefault("Date", format_datetime(self._tenant.clock.now(), usegmt=True))
        headers.setdefault("X-Correlation-Id", self._tenant.new_uuid())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        for name, value in self._budget.headers().items():
            headers.setdefault(name, value)
        if match is not None:
            headers["X-Api-Version"] = f"v{match.version}"
            headers["Api-Supported-Versions"] = ", ".join(map(str, match.route.versions))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
