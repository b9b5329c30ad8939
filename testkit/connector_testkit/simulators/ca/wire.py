"""The request bodies of the escrow contract, as ``schemas/escrow-http.openapi.yaml`` has them."""

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from connector.core.model import Sha256Hex
from connector_testkit.simulators.ca.problems import Refusal

Body = TypeVar("Body", bound=BaseModel)


class NewRequest(BaseModel):
    """Body of ``PUT /v1/requests/{request_id}``."""

    model_config = ConfigDict(frozen=True)

    person: str = Field(min_length=1, max_length=256)
    fingerprint: Sha256Hex
    reason: str = Field(min_length=1, max_length=512)
    requester: str = Field(min_length=1, max_length=128)


class Fetch(BaseModel):
    """Body of ``POST /v1/requests/{request_id}/fetch``."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    fingerprint: Sha256Hex | None = None
    password: SecretStr = Field(min_length=16, max_length=64)


async def read_body(request: web.Request, model: type[Body]) -> Body:
    """The request's body as ``model``.

    Raises:
        Refusal: ``invalid_request``; nothing of the body is repeated.
    """
    try:
        return model.model_validate_json(await request.read())
    except ValidationError:
        raise Refusal("invalid_request") from None
