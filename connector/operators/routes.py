"""The operators' HTTP interface, version 1."""

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from pydantic import Field, TypeAdapter

from connector.core.journal import StatusFilter
from connector.core.model import Record
from connector.operators.answers import answer, problems
from connector.operators.applying import ActEvents
from connector.operators.audit_records import CutTrail, Published
from connector.operators.bodies import KEY_HEADER, json_body
from connector.operators.leaving import while_there
from connector.operators.letter_routes import letter_routes
from connector.operators.peer import OPERATOR
from connector.operators.port import AdminService
from connector.operators.records import Act, Kind, Wanted

BODY_LIMIT = 64 * 1024
NDJSON = "application/x-ndjson"
ACT: TypeAdapter[Act] = TypeAdapter(Act)


class SubjectQuery(Record):
    """Which subject is meant."""

    kind: Kind
    name: Wanted


class PlanQuery(Record):
    """Whose dry run is asked for."""

    holder: Wanted


class VerifyQuery(Record):
    """Heads and counts that were published elsewhere."""

    published: tuple[Published, ...] = Field(default=(), max_length=1024)


class AuditQuery(Record):
    """Which part of the audit log is wanted; ``partition`` None means all of them."""

    partition: int | None = Field(default=None, ge=0)
    after: int = Field(default=0, ge=0)


class ListQuery(StatusFilter):
    """A page of subjects."""

    limit: int = Field(default=200, ge=1, le=1000)


def admin_app(service: AdminService, gate: Middleware) -> web.Application:
    """The application; ``gate`` decides who may use it."""
    handlers = _Handlers(service)
    app = web.Application(middlewares=[problems, gate], client_max_size=BODY_LIMIT)
    app.add_routes(
        [
            web.get("/v1/overview", handlers.overview),
            web.get("/v1/subjects", handlers.subjects),
            web.get("/v1/subject", handlers.subject),
            web.post("/v1/acts", handlers.acts),
            web.post("/v1/acts/not-applied", handlers.not_applied),
            web.post("/v1/plan", handlers.plan),
            web.get("/v1/audit", handlers.audit),
            web.post("/v1/audit/verify", handlers.verify),
            web.post("/v1/audit/cut", handlers.cut),
            web.get("/v1/version", handlers.version),
            *letter_routes(service),
        ]
    )
    return app


class _Handlers:
    def __init__(self, service: AdminService) -> None:
        self._service = service

    async def overview(self, _: web.Request) -> web.Response:
        return answer(await self._service.overview())

    async def subjects(self, request: web.Request) -> web.Response:
        query = ListQuery.model_validate(dict(request.query))
        return answer(await self._service.listing(query))

    async def subject(self, request: web.Request) -> web.Response:
        query = SubjectQuery.model_validate(dict(request.query))
        return answer(await self._service.detail(query.kind, query.name))

    async def acts(self, request: web.Request) -> web.Response:
        act = ACT.validate_python(await json_body(request))
        key = request.headers.get(KEY_HEADER, "")[:128]
        return answer(await self._service.act(act, request[OPERATOR], key))

    async def not_applied(self, request: web.Request) -> web.Response:
        asked = ActEvents.model_validate(await json_body(request))
        return answer(await self._service.not_applied(asked))

    async def plan(self, request: web.Request) -> web.Response:
        query = PlanQuery.model_validate(await json_body(request))
        return answer(await self._service.plan(query.holder, request[OPERATOR]))

    async def audit(self, request: web.Request) -> web.StreamResponse:
        """One record per line; a fault after the first one closes the connection."""
        query = AuditQuery.model_validate(dict(request.query))
        records = self._service.audit(query.partition, query.after)
        first = await anext(records, None)
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: NDJSON})
        await response.prepare(request)
        if first is not None:
            await response.write(first.model_dump_json().encode() + b"\n")
        async for record in records:
            await response.write(record.model_dump_json().encode() + b"\n")
        await response.write_eof()
        return response

    async def verify(self, request: web.Request) -> web.Response:
        query = VerifyQuery.model_validate(await json_body(request))
        return answer(await while_there(request, self._service.verify(query.published)))

    async def cut(self, request: web.Request) -> web.Response:
        act = CutTrail.model_validate(await json_body(request))
        key = request.headers.get(KEY_HEADER, "")[:128]
        return answer(await self._service.cut(act, request[OPERATOR], key))

    async def version(self, _: web.Request) -> web.Response:
        return answer(self._service.version())
