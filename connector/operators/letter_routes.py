"""The operators' HTTP interface to dead letters."""

from collections.abc import Sequence

from aiohttp import web

from connector.core.model import Record
from connector.operators.answers import answer
from connector.operators.bodies import KEY_HEADER, json_body
from connector.operators.letter_records import LetterQuery, PlaceName, SettleLetters
from connector.operators.peer import OPERATOR
from connector.operators.port import LetterService


class PlaceQuery(Record):
    """Which letter is meant."""

    place: PlaceName


def letter_routes(service: LetterService) -> Sequence[web.AbstractRouteDef]:
    """The routes, for the application that serves operators."""
    handlers = _Handlers(service)
    return [
        web.get("/v1/dead-letters", handlers.listing),
        web.get("/v1/dead-letter", handlers.detail),
        web.post("/v1/dead-letters/settle", handlers.settle),
    ]


class _Handlers:
    def __init__(self, service: LetterService) -> None:
        self._service = service

    async def listing(self, request: web.Request) -> web.Response:
        query = LetterQuery.model_validate(dict(request.query))
        return answer(await self._service.letters(query))

    async def detail(self, request: web.Request) -> web.Response:
        query = PlaceQuery.model_validate(dict(request.query))
        return answer(await self._service.letter(query.place))

    async def settle(self, request: web.Request) -> web.Response:
        act = SettleLetters.model_validate(await json_body(request))
        key = request.headers.get(KEY_HEADER, "")[:128]
        return answer(await self._service.settle(act, request[OPERATOR], key))
