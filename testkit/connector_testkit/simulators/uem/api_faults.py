"""Faults of the REST interface on command: refusals, throttling, silence, resets, invalid answers.

A fault is for the next ``count`` requests (None: for all) whose path contains ``path``. The
``apply_…`` kinds do what was asked and then do not say so, which is the case that a client must
be able to live with.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from connector_testkit.simulators.uem.answers import ApiError, ErrorWriter, html_answer

ApiFaultKind = Literal[
    "unauthorized",
    "forbidden",
    "throttled",
    "error",
    "html",
    "empty",
    "raw",
    "slow",
    "silent",
    "reset",
    "apply_silent",
    "apply_reset",
]
NO_LINGER = struct.pack("ii", 1, 0)


class ApiFault(BaseModel):
    """One fault.

    ``status`` is for ``error`` (default 503), ``html`` (404) and ``raw`` (200); ``seconds`` for
    ``slow``; ``retry_after`` for ``throttled`` and ``error``; ``body``, ``repeat`` times,
    with ``content_type`` for ``raw``; ``headers`` are added in every case that answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ApiFaultKind
    path: str = ""
    method: str | None = None
    count: int | None = Field(default=1, ge=1)
    status: int | None = Field(default=None, ge=200, le=599)
    seconds: float = Field(default=1.0, ge=0, le=3600)
    retry_after: str | None = None
    body: str = ""
    repeat: int = Field(default=1, ge=1, le=100_000_000)
    content_type: str = "application/json"
    headers: dict[str, str] = Field(default_factory=dict)

    def fits(self, method: str, path: str) -> bool:
        """Whether it is meant for this request."""
        right_method = self.method is None or self.method.upper() == method
        return right_method and self.path.lower() in path.lower()


def faulty_answer(fault: ApiFault, errors: ErrorWriter, activity: str) -> web.Response | None:
    """What is answered instead of doing what was asked; None for kinds that do it.

    ``errors`` writes error objects, ``activity`` is the UUID that one carries.
    """
    refusal = REFUSALS.get(fault.kind)
    if refusal is not None:
        answer = errors.answer(refusal(fault), activity)
    elif fault.kind in {"html", "empty", "raw"}:
        answer = _nonsense(fault)
    else:
        return None
    answer.headers.update(fault.headers)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = fault.retry_after
    return answer


def _nonsense(fault: ApiFault) -> web.Response:
    if fault.kind == "html":
        return html_answer(fault.status or 404)
    body = fault.body.encode() * fault.repeat if fault.kind == "raw" else b""
    headers = {"Content-Type": fault.content_type} if body else {}
    return web.Response(status=fault.status or 200, body=body, headers=headers)


REFUSALS: dict[str, Callable[[ApiFault], ApiError]] = {
    "unauthorized": lambda _: ApiError.wrong_credentials(),
    "forbidden": lambda _: ApiError.wrong_tenant(),
    "throttled": lambda _: ApiError.throttled(),
    "error": lambda fault: ApiError(fault.status or 503, 1000, "An error has occurred."),
}


async def never_answer() -> None:
    """Wait until the client goes away or the simulator ends: both cancel the request."""
    await asyncio.Event().wait()


def reset(request: web.Request) -> None:
    """Cut the connection with a TCP reset."""
    transport = request.transport
    if transport is not None:
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()


def facts(waiting: Mapping[int, tuple[BaseModel, int | None]]) -> list[dict[str, object]]:
    """Faults in a box as JSON: number, how many cases are left, and what they are."""
    return [
        {"id": number, "left": left, **fault.model_dump(mode="json", exclude={"count"})}
        for number, (fault, left) in waiting.items()
    ]
