"""What all handlers of the control interface share: reading a body, answering, refusing."""

from typing import Any, TypeVar

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound=BaseModel)


def answer(value: Any, status: int = 200) -> web.Response:
    """JSON with a line end, for people who use curl."""
    body = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status, body=body, content_type="application/json")


def refusal(status: int, error: str, **facts: Any) -> web.Response:
    """An error as JSON: ``{"error": …}`` and perhaps more."""
    return answer({"error": error, **facts}, status)


async def read(request: web.Request, model: type[ModelT]) -> ModelT:
    """The request's body as a model; an empty body is an empty object.

    Raises:
        ValidationError: it does not fit; the middleware answers 400.
    """
    return model.model_validate_json(await request.read() or b"{}")


def number(request: web.Request, name: str = "id") -> int:
    """A number in the path."""
    return int(request.match_info[name])


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refused input into 400 and unknown numbers into 404, both as JSON."""
    try:
        return await handler(request)
    except ValidationError as error:
        details = error.errors(include_input=False, include_context=False, include_url=False)
        return refusal(400, "invalid", details=details)
    except ValueError:
        return refusal(400, "invalid")
    except LookupError:
        return refusal(404, "unknown")
    except OSError:
        return refusal(400, "unreadable-file")
    except web.HTTPException as error:
        return refusal(error.status, error.reason)
