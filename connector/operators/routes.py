"""The operators' HTTP interface, version 1: one route for each address in the table of verbs."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Union

import orjson
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel, Field, TypeAdapter

from connector.core.errors import Rejected
from connector.operators.answers import answer, problems
from connector.operators.handlers import Caller, Handlers
from connector.operators.leaving import while_there
from connector.operators.peer import OPERATOR
from connector.operators.verbs.table import AnyVerb, by_route
from connector.operators.verbs.verb import KEY_HEADER, Method, Stream

BODY_LIMIT = 64 * 1024
NDJSON = "application/x-ndjson"
LONGEST_KEY = 128


def admin_app(handlers: Handlers, gate: Middleware) -> web.Application:
    """The application; ``gate`` decides who may use it."""
    app = web.Application(middlewares=[problems, gate], client_max_size=BODY_LIMIT)
    for (method, path), verbs in by_route().items():
        app.router.add_route(method, path, _Route(handlers, verbs).serve)
    return app


class _Route:
    """One address; the type of the question says which of its verbs is meant."""

    def __init__(self, handlers: Handlers, verbs: Sequence[AnyVerb]) -> None:
        self._handlers = handlers
        self._by_question = {verb.takes: verb for verb in verbs}
        self._question = _question([verb.takes for verb in verbs])

    async def serve(self, request: web.Request) -> web.StreamResponse:
        asked = self._question.validate_python(await _sent(request))
        verb = self._by_question[type(asked)]
        if isinstance(verb, Stream):
            return await _streamed(request, self._handlers.records(verb, asked))
        key = request.headers.get(KEY_HEADER, "")[:LONGEST_KEY]
        given = self._handlers.answer(verb, asked, Caller(request[OPERATOR], key))
        return answer(await given if verb.acts else await while_there(request, given))


def _question(models: Sequence[type[BaseModel]]) -> TypeAdapter[BaseModel]:
    if len(models) == 1:
        return TypeAdapter(models[0])
    kinds: Any = Union[tuple(models)]  # noqa: UP007 - made here
    return TypeAdapter(Annotated[kinds, Field(discriminator="act")])


async def _sent(request: web.Request) -> Any:
    """The question as it was sent.

    Raises:
        Rejected: ``EVT-007`` when the body is not JSON.
    """
    if request.method == Method.GET:
        return dict(request.query)
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise Rejected("EVT-007", "the body is not JSON") from None


async def _streamed(request: web.Request, records: AsyncIterator[BaseModel]) -> web.StreamResponse:
    """One record per line; a fault after the first one closes the connection."""
    first = await anext(records, None)
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: NDJSON})
    await response.prepare(request)
    if first is not None:
        await response.write(first.model_dump_json().encode() + b"\n")
    async for record in records:
        await response.write(record.model_dump_json().encode() + b"\n")
    await response.write_eof()
    return response
