"""The client of the operators' socket, for the command line."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import hdrs
from pydantic import BaseModel, ValidationError

from connector.catalogue import catalogue
from connector.core.audit import AuditRecord
from connector.core.errors import BY_FAMILY, ConnectorError, Permanent, Rejected, Transient
from connector.core.journal import StatusFilter
from connector.operators.answers import Problem
from connector.operators.applying import ActEvents, NotApplied
from connector.operators.audit_records import AuditReport, CutTrail, Published
from connector.operators.bodies import KEY_HEADER
from connector.operators.identity import CheckedConnector
from connector.operators.letter_records import (
    LetterDetail,
    LetterPage,
    LetterQuery,
    LetterReceipt,
    PlaceName,
    SettleLetters,
)
from connector.operators.peer import NAME_HEADER
from connector.operators.plan_records import PlanReport
from connector.operators.records import (
    Act,
    Kind,
    Overview,
    Receipt,
    SubjectDetail,
    SubjectPage,
    VersionView,
)

R = TypeVar("R", bound=BaseModel)
FIRST_FAILURE = 400
BASE = "http://operator"
"""Host name of a request over a Unix socket: never resolved."""


class AdminClient:
    """Sends requests to the running service. Used as ``async with``.

    Args:
        path: the service's socket.
        name: the name that the operator states; unverified, recorded in the audit log.

    Raises everywhere: what the service raised, ``Transient`` ``ADM-001`` if it does not answer,
    and ``Permanent`` ``ADM-004`` if another program may be listening.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
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

    async def overview(self) -> Overview:
        """The service at a glance."""
        return await self._ask(Overview, "/v1/overview")

    async def listing(self, query: StatusFilter) -> SubjectPage:
        """A page of subjects."""
        return await self._ask(SubjectPage, "/v1/subjects", query.model_dump(exclude_none=True))

    async def detail(self, kind: Kind, wanted: str) -> SubjectDetail:
        """One subject."""
        return await self._ask(SubjectDetail, "/v1/subject", {"kind": kind, "name": wanted})

    async def act(self, act: Act, key: str = "") -> Receipt:
        """Send a command; with a ``key`` it may be sent again."""
        headers = {KEY_HEADER: key} if key else {}
        return await self._tell(Receipt, "/v1/acts", act.model_dump(mode="json"), headers)

    async def not_applied(self, asked: ActEvents) -> NotApplied:
        """Which commands have not been applied yet."""
        body = asked.model_dump(mode="json")
        return await self._tell(NotApplied, "/v1/acts/not-applied", body)

    async def plan(self, wanted: str) -> PlanReport:
        """What a delivery would do now."""
        return await self._tell(PlanReport, "/v1/plan", {"holder": wanted})

    async def verify(self, published: Sequence[Published]) -> AuditReport:
        """Check the audit log."""
        body = {"published": [known.model_dump(mode="json") for known in published]}
        return await self._tell(AuditReport, "/v1/audit/verify", body)

    async def cut(self, act: CutTrail, key: str = "") -> Receipt:
        """Truncate the beginning of the audit log; with a ``key`` it may be sent again."""
        headers = {KEY_HEADER: key} if key else {}
        return await self._tell(Receipt, "/v1/audit/cut", act.model_dump(mode="json"), headers)

    async def letters(self, query: LetterQuery) -> LetterPage:
        """A page of dead letters."""
        wanted = query.model_dump(exclude_none=True)
        return await self._ask(LetterPage, "/v1/dead-letters", wanted)

    async def letter(self, place: PlaceName) -> LetterDetail:
        """One dead letter."""
        return await self._ask(LetterDetail, "/v1/dead-letter", {"place": place})

    async def settle(self, act: SettleLetters, key: str = "") -> LetterReceipt:
        """Re-queue or drop dead letters; with a ``key`` it may be sent again."""
        headers = {KEY_HEADER: key} if key else {}
        body = act.model_dump(mode="json")
        return await self._tell(LetterReceipt, "/v1/dead-letters/settle", body, headers)

    async def version(self) -> VersionView:
        """The version of the service."""
        return await self._ask(VersionView, "/v1/version")

    async def audit(self, partition: int | None, after: int = 0) -> AsyncIterator[AuditRecord]:
        """The audit log, record by record."""
        wanted: dict[str, Any] = {"after": after}
        if partition is not None:
            wanted["partition"] = partition
        try:
            async with self._session.get(f"{BASE}/v1/audit", params=wanted) as response:
                await _refused(response)
                async for line in response.content:
                    yield AuditRecord.model_validate_json(line)
        except (aiohttp.ClientError, OSError) as error:
            raise self._away(error) from error

    async def _ask(self, kind: type[R], path: str, wanted: Mapping[str, Any] | None = None) -> R:
        return await self._call(kind, hdrs.METH_GET, path, params=wanted)

    async def _tell(
        self, kind: type[R], path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> R:
        return await self._call(kind, hdrs.METH_POST, path, json=body, headers=headers)

    async def _call(self, kind: type[R], method: str, path: str, **more: Any) -> R:
        try:
            async with self._session.request(method, f"{BASE}{path}", **more) as response:
                await _refused(response)
                return kind.model_validate_json(await response.read())
        except (aiohttp.ClientError, OSError) as error:
            raise self._away(error) from error
        except ValidationError as error:
            raise Permanent("ADM-003", "the service answers what this program does not know") from (
                error
            )

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
        raise Permanent("ADM-003", "the service answers with a code this program does not know")
    raise BY_FAMILY[entry.family](told.code, told.detail)
