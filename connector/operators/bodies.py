"""Parts of operators' requests: a JSON body, and a key that makes repeating them harmless."""

import orjson
from aiohttp import web

from connector.core.errors import Rejected

KEY_HEADER = "Idempotency-Key"


async def json_body(request: web.Request) -> object:
    """The body.

    Raises:
        Rejected: ``EVT-007`` when it is not JSON.
    """
    try:
        body: object = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise Rejected("EVT-007", "the body is not JSON") from None
    return body
