"""The client of the operators' socket, for the command line."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from connector.catalogue import catalogue
from connector.core.errors import BY_FAMILY, ConnectorError, Permanent, Rejected, Transient
from connector.operators.answers import Problem
from connector.operators.identity import CheckedConnector
from connector.operators.peer import NAME_HEADER
from connector.operators.verbs.table import VERBS, AnyVerb
from connector.operators.verbs.verb import KEY_HEADER, Method, Stream, Verb

Q = TypeVar("Q", bound=BaseModel)
A = TypeVar("A", bound=BaseModel)
FIRST_FAILURE = 400
BASE = "http://operator"
"""Host name of a request over a Unix socket: never resolved."""


class AdminClient:
    """Sends requests to the running service. Used as ``async with``.

    Args:
        path: the service's socket.
        name: the name that the operator states; unverified, recorded in the audit log.
        verbs: those that may be asked; a command declares its own.

    Raises everywhere: what the service raised, ``Transient`` ``ADM-001`` if it does not answer,
    and ``Permanent`` ``ADM-004`` if another program may be listening.
    """

    def __init__(self, path: Path, name: str = "", verbs: Collection[AnyVerb] = VERBS) -> None:
        self._path = path
        self._verbs = verbs
        self._headers = {NAME_HEADER: name} if name else {}

    async def __aenter__(self) -> Self:
        """Open the HTTP session."""
        self._session = aiohttp.ClientSession(
            connector=CheckedConnector(str(self._path)),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120),
            read_bufsize=1024 * 1024,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self._session.close()

    async def ask(self, verb: Verb[Q, A], question: Q, key: str = "") -> A:
        """The answer to a question; what acts may be sent again with the same ``key``."""
        async with self._answered(verb, question, key) as response:
            text = await response.read()
        try:
            return verb.gives.model_validate_json(text)
        except ValidationError as error:
            raise Permanent("ADM-003", "the service's answer has an unknown form") from (error)

    async def stream(self, verb: Stream[Q, A], question: Q) -> AsyncIterator[A]:
        """The answers to a question, record by record."""
        async with self._answered(verb, question) as response:
            async for line in response.content:
                yield verb.gives.model_validate_json(line)

    @asynccontextmanager
    async def _answered(
        self, verb: AnyVerb, question: BaseModel, key: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response that is no refusal."""
        if verb not in self._verbs:
            raise LookupError(f"{verb.name} is not declared by this command")
        sent = question.model_dump(mode="json", exclude_none=verb.method is Method.GET)
        how: dict[str, Any] = {"params" if verb.method is Method.GET else "json": sent}
        headers = {KEY_HEADER: key} if key else {}
        try:
            async with self._session.request(
                verb.method, f"{BASE}{verb.path}", headers=headers, **how
            ) as response:
                await _refused(response)
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> ConnectorError:
        if not isinstance(error, aiohttp.ClientConnectorError):
            return Transient("ADM-001", f"asking the service: {type(error).__name__}")
        text = f"connecting to {self._path}: {error.os_error.strerror}"
        if isinstance(error.os_error, PermissionError):
            return Rejected("AUTH-004", text)
        return Transient("ADM-001", text)


async def _refused(response: aiohttp.ClientResponse) -> None:
    """Raise the error in a problem JSON."""
    if response.status < FIRST_FAILURE:
        return
    told = Problem.model_validate_json(await response.read())
    entry = catalogue().get(told.code)
    if entry is None:
        raise Permanent("ADM-003", "the service's answer has an error code unknown to this program")
    raise BY_FAMILY[entry.family](told.code, told.detail)
